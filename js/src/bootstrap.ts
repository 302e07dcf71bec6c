// This file is stored in every notebook that shows a widget, so it stays small: it finds the Jupyter server from
// the page and loads the real code from there, once per page.
import { assetUrl } from "./assets";
import type { ServerAddress, WidgetContext, WidgetModel } from "./context";

interface MainModule {
  renderBuild(context: WidgetContext): void;
  renderLayout(context: WidgetContext): void;
}

interface RenderProps {
  readonly model: WidgetModel;
  readonly el: HTMLElement;
  /** Given by anywidget 0.11 and later. */
  readonly signal?: AbortSignal;
}

const NO_SERVER = "This live view needs JupyterLab or Jupyter Notebook 7 with a6hub-jupyter on its server.";
const NOT_LOADED =
  "The a6hub-jupyter code did not load from the Jupyter server. " +
  "Check that a6hub-jupyter is installed there, then reload the page.";

/** The server that this page came from, or null outside Jupyter (VS Code, Colab, a saved page). */
function findServer(): ServerAddress | null {
  try {
    const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "");
    const base = new URL(String(config.baseUrl), location.href).href;
    return { base: base.endsWith("/") ? base : `${base}/`, token: String(config.token ?? "") };
  } catch {
    return null;
  }
}

function showSentence(el: HTMLElement, model: WidgetModel, sentence: string): void {
  const paragraph = document.createElement("p");
  paragraph.setAttribute("role", "status");
  paragraph.textContent = [model.get("_fallback"), sentence].filter(Boolean).join(" ");
  el.replaceChildren(paragraph);
}

async function render({ model, el, signal }: RenderProps): Promise<() => void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  signal?.addEventListener("abort", end, { once: true });
  const server = findServer();
  if (!server) {
    showSentence(el, model, NO_SERVER);
    return end;
  }
  try {
    // The browser keeps modules by URL, so every widget of a page shares this one.
    const main: MainModule = await import(/* @vite-ignore */ assetUrl(server, "main.js", __MAIN_HASH__));
    if (!signal?.aborted) {
      const context: WidgetContext = { ...server, el, model, signal: ended.signal };
      if (model.get("_view") === "layout") main.renderLayout(context);
      else main.renderBuild(context);
    }
  } catch (reason) {
    console.error(reason);
    showSentence(el, model, NOT_LOADED);
  }
  return end;
}

export default { render };
