/**
 * The page's Content-Security-Policy asks browsers that can (`require-trusted-types-for`) to refuse text where
 * code is expected: no label can become markup or script. The two places that need an address of a script, the
 * worker and the service worker, get it from here, and only for addresses of this page's own host.
 */
interface Policy {
  createScriptURL(url: string): unknown;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
const policy = factory?.createPolicy("sae-atlas", { createScriptURL: ownHostOnly });

export function scriptUrl(url: string): string {
  return (policy?.createScriptURL(url) ?? ownHostOnly(url)) as string;
}

function ownHostOnly(url: string): string {
  const absolute = new URL(url, document.baseURI);
  if (absolute.origin !== location.origin) throw new TypeError(`${absolute.href} is on another host`);
  return absolute.href;
}
