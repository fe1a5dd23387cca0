import { expect, it } from "vitest";
import { type State, Store } from "../src/page/state";

const START: State = {
  layer: null,
  published: null,
  selected: null,
  hits: null,
  coloring: "links",
  theme: "dark",
  labelsVisible: true,
  linksVisible: true,
  minCosine: null,
};

it("calls followers of what changed, in order, and with what others changed meanwhile", () => {
  const store = new Store(START);
  const calls: string[] = [];
  store.follow(["selected"], ({ selected }) => {
    calls.push(`first ${selected}`);
    if (selected !== null) store.update({ hits: [selected] });
  });
  store.follow(["hits"], ({ hits }) => calls.push(`hits ${hits}`));
  store.follow(["selected", "theme"], ({ selected, hits }) => calls.push(`last ${selected} ${hits}`));
  expect(calls.splice(0)).toEqual(["first null", "hits null", "last null null"]);
  store.update({ selected: 3, theme: "dark" });
  expect(calls.splice(0)).toEqual(["first 3", "hits 3", "last 3 3"]);
  store.update({ selected: 3, coloring: "index" });
  expect(calls).toEqual([]);
});
