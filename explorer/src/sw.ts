/**
 * Keeps the page itself (never the maps, which load.worker.ts keeps) for visits without a network.
 *
 * The page comes from the network where there is one; its assets carry their content's hash in their name and
 * never change. SHELL is filled in by the build (vite.config.ts).
 */
const SHELL: { version: string; files: string[] } = __SHELL__;
declare const __SHELL__: { version: string; files: string[] };

const worker = self as unknown as ServiceWorkerGlobalScope;
const scope = worker.registration.scope;
const prefix = `sae-atlas-shell ${scope} `;
const cacheName = prefix + SHELL.version;
const assets = new Set(SHELL.files.map((file) => new URL(file, scope).href));

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll([scope, ...assets]))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(prefix) && name !== cacheName))
      .then((outdated) => Promise.all(outdated.map((name) => caches.delete(name))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("fetch", (event) => {
  const url = event.request.url.split(/[?#]/)[0]!;
  if (event.request.mode === "navigate" && (url === scope || url === `${scope}index.html`)) {
    event.respondWith(fetch(event.request).catch(() => kept(scope)));
  } else if (assets.has(url)) {
    event.respondWith(kept(url).then((found) => (found.type === "error" ? fetch(event.request) : found)));
  }
});

async function kept(url: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(url)) ?? Response.error();
}
