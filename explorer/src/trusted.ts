/**
 * The page's Content-Security-Policy has browsers that can (`require-trusted-types-for`) refuse text where code is
 * expected: no label can become markup or script. The worker and the service worker, which need the address of a
 * script, get it from here, and only addresses on the page's own host are allowed.
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
