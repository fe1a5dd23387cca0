/**
 * Stores the page itself for visits without a network; load.worker.ts stores the maps.
 *
 * With a network, index.html always comes from there. The assets have their content's hash in their names and never
 * change. The build fills in SHELL (vite.config.ts).
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
    event.respondWith(fetch(event.request).catch(() => fromCache(scope)));
  } else if (assets.has(url)) {
    event.respondWith(
      fromCache(url).then((cached) => (cached.type === "error" ? fetch(event.request) : cached)),
    );
  }
});

async function fromCache(url: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(url)) ?? Response.error();
}
