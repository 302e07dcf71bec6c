// Baked in by build.mjs: the first characters of each bundle's SHA-256, so that a new version is a new URL.
declare const __MAIN_HASH__: string;
declare const __LAYOUT_WORKER_HASH__: string;

declare module "*.css?inline" {
  const text: string;
  export default text;
}
