/**
 * Reading published files over HTTP, from hosts of any habit: a `.gz` may arrive as it is or already
 * decompressed (Content-Encoding), so the first bytes decide, not the name or a header.
 */
import { createStore, get, set, type UseStore } from "idb-keyval";
import type { LayerCache } from "./cache";
import { type LayerEntry, type PublishedFile, parseJson } from "./contract";

/** A file could not be had, or is not the one that the manifest names. The message is for the reader. */
export class FetchError extends Error {
  override name = "FetchError";
  constructor(
    message: string,
    /** The host's answer, or null if there was none: no network, or the server is down. */
    readonly status: number | null = null,
  ) {
    super(message);
  }
}

export type Progress = (loaded: number, total: number) => void;

export interface Received {
  /** Plain JSON, UTF-8. */
  bytes: ArrayBuffer;
  from: "network" | "cache";
}

/** A manifest or index; the last one seen stands in when there is no network. */
export async function fetchJson(url: URL): Promise<{ value: unknown; offline: boolean }> {
  const seen = lastSeen();
  const name = fileName(url);
  try {
    const response = await request(url);
    const value = parseJson(await response.text(), name);
    await set(url.href, value, seen).catch(warnNotKept);
    return { value, offline: false };
  } catch (error) {
    if (!(error instanceof FetchError) || (error.status !== null && error.status < 500)) throw error;
    const value = await get(url.href, seen).catch(() => undefined);
    if (value === undefined) throw error;
    return { value, offline: true };
  }
}

/**
 * A layer's plain JSON, from the cache or else from the network, and then kept.
 *
 * Rejects with FetchError if the host does not have it, or if what arrived is not the file whose sha256
 * the manifest gives.
 */
export async function fetchLayer(
  entry: LayerEntry,
  manifestUrl: URL,
  cache: LayerCache,
  progress: Progress,
  signal: AbortSignal,
): Promise<Received> {
  const kept = await cache.get(entry.sha256).catch(warnNotKept);
  if (kept) {
    try {
      return { bytes: await gunzip(kept), from: "cache" };
    } catch {
      await cache.delete(entry.sha256); // damaged: the network has a whole one
    }
  }
  const { received, name } = await download(entry, manifestUrl, progress, signal);
  const bytes = await gunzip(received).catch(() => {
    throw new FetchError(`${name} is damaged or cut short: ${received.byteLength} bytes arrived`);
  });
  await checkBytes(bytes, entry, name);
  await cache.put(entry.sha256, received).catch(warnNotKept);
  return { bytes, from: "network" };
}

/** Decompresses what begins like gzip; anything else is returned as it is. Rejects if the stream is damaged. */
export async function gunzip(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  if (!isGzip(new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength)))) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

async function download(entry: LayerEntry, manifestUrl: URL, progress: Progress, signal: AbortSignal) {
  const fetchOne = async (file: PublishedFile) => {
    const url = new URL(file.filePath, manifestUrl);
    const response = await request(url, signal);
    return { received: await readAll(response, entry, progress), name: fileName(url) };
  };
  if (!entry.gzip) return fetchOne(entry);
  try {
    return await fetchOne(entry.gzip);
  } catch (error) {
    if (!(error instanceof FetchError) || error.status !== 404) throw error;
    return fetchOne(entry); // published without its compressed twin
  }
}

async function request(url: URL, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    // Revalidate: a host's caching rules must not bring an older file than the manifest's.
    response = await fetch(url, { cache: "no-cache", ...(signal && { signal }) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new FetchError(`${fileName(url)} could not be fetched: no answer from ${url.host}`);
  }
  if (response.ok) return response;
  const why = response.status === 404 ? "is not there (HTTP 404)" : `was refused (HTTP ${response.status})`;
  throw new FetchError(`${fileName(url)} ${why}`, response.status);
}

async function readAll(response: Response, entry: LayerEntry, progress: Progress): Promise<ArrayBuffer> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  let total = entry.fileSize;
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      if ((error as Error).name === "AbortError") throw error;
      throw new FetchError(`${fileName(new URL(response.url))} broke off after ${loaded} bytes`);
    });
    if (done) break;
    if (loaded === 0 && entry.gzip && isGzip(value)) total = entry.gzip.fileSize;
    chunks.push(value as Uint8Array<ArrayBuffer>);
    loaded += value.byteLength;
    progress(loaded, total);
  }
  return new Blob(chunks).arrayBuffer();
}

async function checkBytes(bytes: ArrayBuffer, entry: LayerEntry, name: string): Promise<void> {
  const advice = "it is cut short, or of another run than the manifest: publish both again";
  if (bytes.byteLength !== entry.fileSize) {
    throw new FetchError(
      `${name} holds ${bytes.byteLength} bytes, and the manifest says ${entry.fileSize}: ${advice}`,
    );
  }
  // Browsers offer digests to secure pages only (https, localhost); elsewhere the size must do.
  if (globalThis.crypto?.subtle && (await sha256(bytes)) !== entry.sha256) {
    throw new FetchError(`${name} is not the file with the manifest's sha256: ${advice}`);
  }
}

export async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fileName(url: URL): string {
  return url.pathname.split("/").slice(-2).join("/").replace(/^\//, "");
}

function lastSeen(): UseStore {
  return createStore("sae-atlas-manifests", "last-seen");
}

function warnNotKept(error: unknown): undefined {
  console.warn("This browser keeps nothing for the next visit:", error);
  return undefined;
}
