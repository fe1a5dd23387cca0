import "fake-indexeddb/auto";
import { beforeEach, expect, it } from "vitest";
import { LayerCache } from "../src/data/cache";

let cache: LayerCache;
let clock = 0;
let name = 0;

const bytes = (size: number) => new Uint8Array(size).fill(7).buffer;
const stored = async (...keys: string[]) =>
  Promise.all(keys.map(async (key) => (await cache.get(key))?.byteLength ?? null));

beforeEach(() => {
  cache = new LayerCache(100, `test-${++name}`, () => ++clock);
});

it("gives back what was put, under its key alone", async () => {
  await cache.put("a", bytes(10));
  expect(await stored("a", "b")).toEqual([10, null]);
});

it("removes the least recently used when the budget is full", async () => {
  await cache.put("a", bytes(40));
  await cache.put("b", bytes(40));
  await cache.get("a");
  await cache.put("c", bytes(40));
  expect(await stored("a", "b", "c")).toEqual([40, null, 40]);
});

it("counts a layer once, however often it is put", async () => {
  await cache.put("a", bytes(60));
  await cache.put("b", bytes(40));
  await cache.put("a", bytes(60));
  expect(await stored("a", "b")).toEqual([60, 40]);
});

it("does not keep what alone exceeds the budget, and removes nothing for it", async () => {
  await cache.put("a", bytes(40));
  await cache.put("huge", bytes(101));
  expect(await stored("a", "huge")).toEqual([40, null]);
});

it("forgets what is deleted", async () => {
  await cache.put("a", bytes(10));
  await cache.delete("a");
  expect(await stored("a")).toEqual([null]);
});

it("is shared by all who open it", async () => {
  await cache.put("a", bytes(10));
  expect((await new LayerCache(100, `test-${name}`).get("a"))?.byteLength).toBe(10);
});

it("keeps a file while another is stored, whenever the second begins", async () => {
  for (let turns = 0; turns < 40; turns++) {
    const both = new LayerCache(100, `turns-${turns}`);
    const first = both.put("a", bytes(40));
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, both.put("b", bytes(40))]);
    expect([(await both.get("a"))?.byteLength, (await both.get("b"))?.byteLength]).toEqual([40, 40]);
  }
});
