/**
 * Stores the page itself for visits without a network; layer.worker.ts stores the maps.
 *
 * With a network, index.html always comes from there. The assets have their content's hash in their names and never
 * change. The build fills in SHELL (vite.config.ts).
 */
declare const __SHELL__: {
  version: string;
  files: string[];
  /** Stored when they are first requested. */
  later: string[];
};
const SHELL = __SHELL__;

const worker = self as unknown as ServiceWorkerGlobalScope;
const scope = worker.registration.scope;
const prefix = `sae-atlas-shell ${scope} `;
const cacheName = prefix + SHELL.version;
const urls = (files: string[]) => files.map((file) => new URL(file, scope).href);
const assets = new Set(urls([...SHELL.files, ...SHELL.later]));

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll([scope, ...urls(SHELL.files)]))
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
    event.respondWith(fetch(event.request).catch(async () => (await stored(scope)) ?? Response.error()));
  } else if (assets.has(url)) {
    event.respondWith(fromCacheOrNetwork(url));
  }
});

async function fromCacheOrNetwork(url: string): Promise<Response> {
  const cached = await stored(url);
  if (cached) return cached;
  const response = await fetch(url);
  if (response.ok) await caches.open(cacheName).then((cache) => cache.put(url, response.clone()));
  return response;
}

function stored(url: string): Promise<Response | undefined> {
  return caches.match(url, { cacheName });
}
