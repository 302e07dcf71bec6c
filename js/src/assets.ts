import type { ServerAddress } from "./context";

/** URL of a file of our bundle on the server, named by content so that it may be cached for ever. */
export function assetUrl(server: ServerAddress, file: string, hash: string): string {
  return `${server.base}static/a6hub_jupyter/${file}?v=${hash}`;
}

/** URL for `new Worker(url, { type: "module" })`. */
export function layoutWorkerUrl(server: ServerAddress): string {
  return assetUrl(server, "layout-worker.js", __LAYOUT_WORKER_HASH__);
}
