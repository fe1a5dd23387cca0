/**
 * Reads published files over HTTP. Some hosts send a `.gz` as it is, others with a Content-Encoding, which the browser
 * decompresses: the first bytes decide, not the name or a header.
 */
import { createStore, get, set, type UseStore } from "idb-keyval";
import type { LayerCache } from "./cache";
import { ContractError, type PublishedFile, parseJson } from "./contract";

/** A file could not be fetched, or is not the one in the manifest. The message is for the reader. */
export class FetchError extends Error {
  override name = "FetchError";
  constructor(
    message: string,
    /** HTTP status, or null if there was no response: no network, or the server is down. */
    readonly status: number | null = null,
  ) {
    super(message);
  }
}

const ADVICE = "it is incomplete, or from another run than the manifest; publish both again";

export type Progress = (loaded: number, total: number) => void;

/** A file as the manifest lists it. */
export interface ListedFile extends PublishedFile {
  /** The same file compressed. */
  gzip?: PublishedFile;
}

export interface Received {
  /** The file's path in the manifest, for messages. */
  name: string;
  /** Not compressed. */
  bytes: ArrayBuffer;
  fromCache: boolean;
}

/**
 * The address of a file that the index or manifest `list` names.
 *
 * Throws ContractError if it leads to another origin: the page contacts no host but its own. A `data:` or `blob:`
 * address is no published file either.
 */
export function addressOf(path: string, base: URL, list: string): URL {
  const url = URL.canParse(path, base.href) ? new URL(path, base) : null;
  if (url?.href.startsWith(`${base.origin}/`)) return url;
  throw new ContractError(
    `${list} names ${JSON.stringify(path)}, which is not a path on ${base.host}; only files beside the page are fetched`,
  );
}

/** A manifest or index; without a network, the copy from the last visit. */
export async function fetchJson(url: URL): Promise<{ value: unknown; offline: boolean }> {
  const seen = lastSeen();
  const name = fileName(url);
  try {
    const response = await request(url);
    const value = parseJson(await response.text(), name);
    await set(url.href, value, seen).catch(warnNotStored);
    return { value, offline: false };
  } catch (error) {
    if (!(error instanceof FetchError) || (error.status !== null && error.status < 500)) throw error;
    const value = await get(url.href, seen).catch(() => undefined);
    if (value === undefined) throw error;
    return { value, offline: true };
  }
}

/**
 * A file of a model, from the cache, or from the network and then into the cache. Both are checked alike.
 *
 * Rejects with FetchError if the host does not have the file, or sends another than the one whose sha256 is in
 * the manifest; with ContractError if the manifest names a file on another host.
 */
export async function fetchFile(
  entry: ListedFile,
  manifestUrl: URL,
  cache: LayerCache,
  progress: Progress = () => {},
  signal?: AbortSignal,
): Promise<Received> {
  const { filePath: name } = entry;
  const cached = await cache.get(entry.sha256).catch(warnNotStored);
  if (cached) {
    try {
      const bytes = await gunzip(cached, entry.fileSize);
      await checkBytes(bytes, entry, "the stored copy");
      return { name, bytes, fromCache: true };
    } catch {
      // Damaged; the network has an intact copy.
      await cache.delete(entry.sha256).catch(warnNotStored);
    }
  }
  const { received, from } = await download(entry, manifestUrl, progress, signal);
  const bytes = await gunzip(received, entry.fileSize, from).catch((error: unknown) => {
    if (error instanceof FetchError) throw error;
    throw new FetchError(`${from} is damaged or incomplete: ${received.byteLength} bytes received`);
  });
  await checkBytes(bytes, entry, from);
  await cache.put(entry.sha256, received).catch(warnNotStored);
  return { name, bytes, fromCache: false };
}

/**
 * Decompresses gzip, and returns anything else unchanged. Rejects if the stream is damaged, or holds more than `limit`
 * bytes.
 */
export async function gunzip(bytes: ArrayBuffer, limit = Infinity, name = ""): Promise<ArrayBuffer> {
  if (!isGzip(new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength)))) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return readAll(stream, limit, name);
}

function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

async function download(entry: ListedFile, manifestUrl: URL, progress: Progress, signal?: AbortSignal) {
  const fetchOne = async ({ filePath }: PublishedFile) => {
    const url = addressOf(filePath, manifestUrl, fileName(manifestUrl));
    const response = await request(url, signal);
    return { received: await readBody(response, entry, progress), from: fileName(url) };
  };
  if (!entry.gzip) return fetchOne(entry);
  try {
    return await fetchOne(entry.gzip);
  } catch (error) {
    if (!(error instanceof FetchError) || error.status !== 404) throw error;
    // Published without its compressed twin.
    return fetchOne(entry);
  }
}

async function request(url: URL, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, {
      // Revalidate: the browser's cache may hold an older file than the manifest's.
      cache: "no-cache",
      // Redirects must not lead to another host either; the page's policy does not hold in the worker.
      mode: "same-origin",
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new FetchError(
      `${fileName(url)} could not be fetched: no response from ${url.host}, or a redirect to another host`,
    );
  }
  if (response.ok) return response;
  const why = response.status === 404 ? "does not exist (HTTP 404)" : `was refused (HTTP ${response.status})`;
  throw new FetchError(`${fileName(url)} ${why}`, response.status);
}

async function readBody(response: Response, entry: ListedFile, progress: Progress): Promise<ArrayBuffer> {
  const name = fileName(new URL(response.url));
  // A host may send either file, whichever was requested.
  const limit = Math.max(entry.fileSize, entry.gzip?.fileSize ?? 0);
  let total = entry.fileSize;
  let loaded = 0;
  const onChunk = (chunk: Uint8Array) => {
    if (loaded === 0 && entry.gzip && isGzip(chunk)) total = entry.gzip.fileSize;
    loaded += chunk.byteLength;
    progress(loaded, total);
  };
  return readAll(response.body!, limit, name, onChunk).catch((error: unknown) => {
    if (error instanceof FetchError || (error as Error).name === "AbortError") throw error;
    throw new FetchError(`${name} broke off after ${loaded} bytes`);
  });
}

/** Rejects with a FetchError after `limit` bytes: a stream without an end must not fill the memory. */
async function readAll(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  limit: number,
  name: string,
  onChunk: (chunk: Uint8Array) => void = () => {},
): Promise<ArrayBuffer> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(chunks).arrayBuffer();
    size += value.byteLength;
    if (size > limit) {
      void reader.cancel();
      throw new FetchError(`${name} has more than the manifest's ${limit} bytes: ${ADVICE}`);
    }
    onChunk(value);
    chunks.push(value);
  }
}

async function checkBytes(bytes: ArrayBuffer, entry: ListedFile, name: string): Promise<void> {
  if (bytes.byteLength !== entry.fileSize) {
    throw new FetchError(
      `${name} has ${bytes.byteLength} bytes instead of the manifest's ${entry.fileSize}: ${ADVICE}`,
    );
  }
  // Only secure pages (https, localhost) can compute digests; elsewhere the size must do.
  if (globalThis.crypto?.subtle && (await sha256(bytes)) !== entry.sha256) {
    throw new FetchError(`${name} does not have the manifest's sha256: ${ADVICE}`);
  }
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fileName(url: URL): string {
  return url.pathname.split("/").slice(-2).join("/").replace(/^\//, "");
}

function lastSeen(): UseStore {
  return createStore("sae-atlas-manifests", "last-seen");
}

function warnNotStored(error: unknown): undefined {
  console.warn("This browser could not store anything for the next visit:", error);
  return undefined;
}
