import { assetUrl } from "../assets";
import type { ServerAddress, WidgetContext } from "../context";
import { findServer } from "../page";

interface Views {
  renderBuild(context: WidgetContext): void;
  renderLayout(context: WidgetContext): void;
}

/** The views' code, as the server has it now: this extension may be older. */
async function loadViews(server: ServerAddress): Promise<Views> {
  const manifest = await fetch(`${server.base}static/a6hub_jupyter/manifest.json`, { cache: "no-cache" });
  const hash = (await manifest.json())["main.js"].hash;
  return import(/* @vite-ignore */ assetUrl(server, "main.js", hash));
}

/** What an output says of itself under our type: `{"build_id": ...}`. */
export function contentOf(data: Readonly<Record<string, unknown>>, type: string): Record<string, unknown> {
  const content = data[type];
  return typeof content === "object" && content !== null ? (content as Record<string, unknown>) : {};
}

/** Shows a view of what `content` names, from the server alone, until `signal` aborts. */
export async function showView(
  view: "build" | "layout",
  el: HTMLElement,
  content: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const server = findServer();
  if (!server) return;
  try {
    const views = await loadViews(server);
    if (signal.aborted) return;
    const model = { get: (name: string) => content[name] ?? "", on() {}, off() {} };
    const context = { ...server, el, model, signal };
    if (view === "layout") views.renderLayout(context);
    else views.renderBuild(context);
  } catch (reason) {
    console.error(reason);
    el.textContent =
      "The a6hub-jupyter code did not load from the Jupyter server. " +
      "Check that a6hub-jupyter is installed there, then reload the page.";
  }
}
