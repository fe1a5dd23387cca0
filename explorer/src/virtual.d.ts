/** Generated when the page is built; see contractChecks.ts. */
declare module "virtual:check-index" {
  const check: import("ajv").ValidateFunction<{ models: import("./data/contract").ModelEntry[] }>;
  export default check;
}
declare module "virtual:check-manifest" {
  const check: import("ajv").ValidateFunction<import("./data/contract").Manifest>;
  export default check;
}
declare module "virtual:check-layer" {
  const check: import("ajv").ValidateFunction<import("./data/contract").LayerFile>;
  export default check;
}
