import "fake-indexeddb/auto";
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { LayerCache } from "../src/data/cache";
import { fetchFile, fetchJson, gunzip, type ListedFile } from "../src/data/fetch";

const plain = Buffer.from(JSON.stringify({ layer: "x".repeat(5000) }));
const packed = gzipSync(plain);
const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

let server: Server;
let base: URL;
let name = 0;
let cache: LayerCache;
let answers: Record<string, { status?: number; headers?: Record<string, string>; body: Buffer | string }>;
let requested: string[];
let endless: boolean;

beforeAll(async () => {
  server = createServer((request, response) => {
    requested.push(request.url!);
    const answer = answers[request.url!] ?? { status: 404, body: "no" };
    response.writeHead(answer.status ?? 200, answer.headers);
    if (!endless) return void response.end(answer.body);
    const send = () => response.writable && response.write("x".repeat(1000), () => setImmediate(send));
    send();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/m/manifest.json`);
});

afterAll(() => void server.close());

beforeEach(() => {
  cache = new LayerCache(1e6, `fetch-${++name}`);
  answers = { "/m/layer-1.json": { body: plain }, "/m/layer-1.json.gz": { body: packed } };
  requested = [];
  endless = false;
});

const file = (filePath: string, content: Buffer) => ({
  filePath,
  fileSize: content.length,
  sha256: sha256(content),
});
const plainEntry: ListedFile = file("layer-1.json", plain);
const entry: ListedFile = { ...plainEntry, gzip: file("layer-1.json.gz", packed) };
const load = async (from: ListedFile = entry, progress?: (loaded: number, total: number) => void) => {
  const { bytes, fromCache } = await fetchFile(from, base, cache, progress);
  return { where: fromCache ? "cache" : "network", same: Buffer.from(bytes).equals(plain) };
};

it("reads the compressed twin as it is", async () => {
  let last: [number, number] = [0, 0];
  expect(await load(entry, (loaded, total) => (last = [loaded, total]))).toEqual({
    where: "network",
    same: true,
  });
  expect(requested).toEqual(["/m/layer-1.json.gz"]);
  expect(last).toEqual([packed.length, packed.length]);
});

it("reads the compressed twin from a host that announces it as an encoding", async () => {
  answers["/m/layer-1.json.gz"] = { body: packed, headers: { "Content-Encoding": "gzip" } };
  expect(await load()).toEqual({ where: "network", same: true });
});

it("takes the plain file if there is no compressed twin", async () => {
  expect(await load(plainEntry)).toEqual({ where: "network", same: true });
  delete answers["/m/layer-1.json.gz"];
  expect(await load()).toMatchObject({ same: true });
});

it("downloads the same bytes once, and others again", async () => {
  await load();
  expect(await load()).toEqual({ where: "cache", same: true });
  expect(requested).toHaveLength(1);
  const changed = Buffer.from('{"changed": 1}');
  answers["/m/layer-1.json"] = { body: changed };
  const { bytes } = await fetchFile(file("layer-1.json", changed), base, cache);
  expect(Buffer.from(bytes).equals(changed)).toBe(true);
});

const another = Buffer.from(plain.toString().replace("xx", "yy"));

it.each([
  ["cut short", packed.subarray(0, 20)],
  ["another of the same size", another],
  ["another, compressed", gzipSync(another)],
  ["empty", Buffer.of()],
])("downloads again what is damaged in the cache: %s", async (_, stored) => {
  await cache.put(entry.sha256, Uint8Array.from(stored).buffer);
  expect(await load()).toEqual({ where: "network", same: true });
  expect(await load()).toEqual({ where: "cache", same: true });
});

it.each([
  "http://other-host/layer-1.json",
  "//other-host/layer-1.json",
  "https://HOST/m/layer-1.json",
  "http://name:word@HOST/m/layer-1.json",
  "data:application/json,{}",
  "blob:http://HOST/f0a2",
  "http://[",
])("fetches nothing from another origin: %s", async (path) => {
  const filePath = path.replace("HOST", base.host);
  const message = `m/manifest.json names "${filePath}", which is not a path on ${base.host}`;
  await expect(load({ ...plainEntry, filePath })).rejects.toThrow(message);
  const gzip = { ...entry.gzip!, filePath };
  await expect(load({ ...plainEntry, gzip })).rejects.toThrow(message);
  expect(requested).toEqual([]);
});

it("follows a path above the manifest, which cannot leave the host", async () => {
  answers["/layer-1.json"] = { body: plain };
  expect(await load({ ...plainEntry, filePath: "../../../layer-1.json" })).toMatchObject({ same: true });
  expect(requested).toEqual(["/layer-1.json"]);
});

it("follows redirects on its own host only", async () => {
  const redirect = (Location: string) => ({ status: 302, headers: { Location }, body: "" });
  answers["/m/layer-1.json"] = redirect("/moved.json");
  answers["/moved.json"] = { body: plain };
  expect(await load(plainEntry)).toMatchObject({ same: true });
  cache = new LayerCache(1e6, `fetch-${++name}`);
  answers["/m/layer-1.json"] = redirect(`http://localhost:${base.port}/moved.json`);
  await expect(load(plainEntry)).rejects.toThrow("a redirect to another host");
  expect(requested).toEqual(["/m/layer-1.json", "/moved.json", "/m/layer-1.json"]);
});

it.each([
  ["cut short", packed.subarray(0, 20), /layer-1\.json\.gz is damaged or incomplete: 20 bytes/],
  ["cut short, plain", plain.subarray(0, 60), /has 60 bytes instead of the manifest's 5012/],
  ["another of the same size", another, /does not have the manifest's sha256/],
  ["too long", Buffer.concat([plain, plain]), /layer-1\.json\.gz has more than the manifest's 5012 bytes/],
  [
    "too long once unpacked",
    gzipSync(Buffer.alloc(1e6)),
    /layer-1\.json\.gz has more than the manifest's 5012 bytes/,
  ],
])("refuses a file that is %s, and keeps nothing of it", async (_, body, message) => {
  answers["/m/layer-1.json.gz"] = { body };
  await expect(load()).rejects.toThrow(message);
  expect(await cache.get(entry.sha256)).toBeUndefined();
});

it("leaves a body without an end", async () => {
  endless = true;
  await expect(load()).rejects.toThrow(/has more than the manifest's 5012 bytes/);
});

it("reports the host's answer", async () => {
  answers = {};
  await expect(load()).rejects.toThrow(/m\/layer-1\.json does not exist \(HTTP 404\)/);
  answers = { "/m/layer-1.json.gz": { status: 403, body: "" } };
  await expect(load()).rejects.toThrow(/was refused \(HTTP 403\)/);
});

it("stores the last manifest for visits without a network, and does not hide a missing one", async () => {
  answers["/m/manifest.json"] = { body: '{"a": 1}' };
  expect(await fetchJson(base)).toEqual({ value: { a: 1 }, offline: false });
  answers["/m/manifest.json"] = { status: 503, body: "" };
  expect(await fetchJson(base)).toEqual({ value: { a: 1 }, offline: true });
  delete answers["/m/manifest.json"];
  await expect(fetchJson(base)).rejects.toThrow(/does not exist/);
  await expect(fetchJson(new URL("http://127.0.0.1:9/never/index.json"))).rejects.toThrow(
    /no response from 127\.0\.0\.1:9/,
  );
});

it("decides by the first bytes whether something is compressed", async () => {
  expect(new TextDecoder().decode(await gunzip(Uint8Array.from(gzipSync("text")).buffer))).toBe("text");
  expect(new TextDecoder().decode(await gunzip(new TextEncoder().encode("text").buffer))).toBe("text");
  expect((await gunzip(new ArrayBuffer(0))).byteLength).toBe(0);
});
