import "fake-indexeddb/auto";
import { expect, it } from "vitest";
import { SavedSets } from "../src/data/savedSets";

it("keeps named sets by model", async () => {
  const sets = new SavedSets("kept");
  const days = { name: "days", members: [{ layer: 5, index: 1 }] };
  await sets.save("m", days);
  await sets.save("m", { ...days, name: "animals" });
  await sets.save("other", { ...days, name: "elsewhere" });
  expect((await sets.of("m")).map(({ name }) => name)).toEqual(["animals", "days"]);
  await sets.save("m", { name: "days", members: [] });
  expect((await sets.of("m"))[1]).toEqual({ name: "days", members: [] });
  await sets.remove("m", "days");
  expect((await sets.of("m")).map(({ name }) => name)).toEqual(["animals"]);
});
