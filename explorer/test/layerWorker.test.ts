import "fake-indexeddb/auto";
import { expect, it, vi } from "vitest";
import type { Reply, Request } from "../src/data/layer.worker";
import { rawLayer } from "./fixtures";

/** The worker's replies to requests, one at a time: the last reply to each, or none. */
async function worker() {
  const replies: Reply[] = [];
  const scope = { postMessage: (reply: Reply) => replies.push(reply), onmessage: (_: unknown) => {} };
  vi.stubGlobal("self", scope);
  vi.resetModules();
  await import("../src/data/layer.worker");
  return async (request: Request) => {
    scope.onmessage({ data: request });
    const last = () => replies.findLast((reply) => reply.id === request.id && !("loaded" in reply));
    await vi.waitFor(() => expect(last()).toBeDefined());
    return last()!;
  };
}

it("searches the layer that is shown, whatever became of later ones", async () => {
  const ask = await worker();
  const file = (content: string) => new File([content], "layer-2.json");
  const good = file(JSON.stringify(rawLayer()));
  const load = (id: number, shown: number, content: File) =>
    ask({ id, kind: "load", question: { kind: "file", file: content, shown } });
  expect(await load(1, 0, good)).toMatchObject({ answer: { id: 1 } });
  // Arrives when the visitor has gone on to another, which is broken.
  expect(await load(2, 1, good)).toMatchObject({ answer: { id: 2 } });
  expect(await load(3, 1, file("{"))).toHaveProperty("failed");
  const hits = await ask({ id: 4, kind: "search", question: { layer: 1, query: "weekend" } });
  expect(hits).toMatchObject({ answer: { nodes: [1] } });
});

it("names the table that is missing where layers have no other file", async () => {
  vi.stubGlobal("fetch", async () => new Response(null, { status: 404 }));
  const ask = await worker();
  const table = { filePath: "layer-1.parquet", fileSize: 1, sha256: "a".repeat(64) };
  const entry = { layer: 1, table, edges: { k: 25, threshold: 0.25 } };
  const about = { modelId: "m", displayName: "Model", neuronpedia: null };
  const manifestUrl = "http://127.0.0.1/m/manifest.json";
  const question = { kind: "published", entry, about, manifestUrl, shown: 0 } as const;
  expect(await ask({ id: 1, kind: "load", question })).toMatchObject({
    failed: "m/layer-1.parquet does not exist (HTTP 404)",
  });
});
