import "fake-indexeddb/auto";
import { expect, it, vi } from "vitest";
import type { Reply, Request } from "../src/data/layer.worker";
import { rawLayer } from "./fixtures";

/** The worker's replies to requests, one at a time: the last reply to each, or none. */
async function worker() {
  const replies: Reply[] = [];
  const scope = { postMessage: (reply: Reply) => replies.push(reply), onmessage: (_: unknown) => {} };
  vi.stubGlobal("self", scope);
  await import("../src/data/layer.worker");
  return async (request: Request) => {
    scope.onmessage({ data: request });
    const last = () => replies.findLast(({ id, kind }) => id === request.id && kind !== "preparing");
    await vi.waitFor(() => expect(last()).toBeDefined());
    return last()!;
  };
}

it("searches the layer that is shown, whatever became of later ones", async () => {
  const ask = await worker();
  const file = (content: string) => new File([content], "layer-2.json");
  const good = file(JSON.stringify(rawLayer()));
  const load = (id: number, shown: number, content: File) => ask({ id, kind: "file", file: content, shown });
  expect(await load(1, 0, good)).toMatchObject({ kind: "layer" });
  // Arrives when the visitor has gone on to another, which is broken.
  expect(await load(2, 1, good)).toMatchObject({ kind: "layer" });
  expect(await load(3, 1, file("{"))).toMatchObject({ kind: "failed" });
  const hits = await ask({ id: 4, kind: "search", layer: 1, query: "weekend" });
  expect(hits).toMatchObject({ kind: "hits", hits: { nodes: [1] } });
});
