import type { ServerAddress } from "./context";

/** The server that this page came from, or null outside Jupyter (VS Code, Colab, a saved page). */
export function findServer(): ServerAddress | null {
  try {
    const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "");
    const base = new URL(String(config.baseUrl), location.href).href;
    return { base: base.endsWith("/") ? base : `${base}/`, token: String(config.token ?? "") };
  } catch {
    return null;
  }
}
