// This file is stored in every notebook that shows a widget, so it stays small: it loads the real code, once per page,
// from the Jupyter server that the page came from, or else from the kernel.
import { assetUrl } from "./assets";
import { assetOfKernel } from "./carrier";
import type { ServerAddress, WidgetContext, WidgetModel } from "./context";
import { findServer } from "./page";

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

const NO_KERNEL = "To see it live, open the notebook in JupyterLab, or run the cell with a kernel.";
const BUSY =
  "Waiting for the kernel: the live view comes once the running cell has ended. " +
  "If no kernel runs, run the cell again.";
const NOT_LOADED =
  "The a6hub-jupyter code did not load from the Jupyter server. " +
  "Check that a6hub-jupyter is installed there, then reload the page.";
const PATIENCE = 1500; // ms before a kernel that does not answer is called busy

function showSentence(el: HTMLElement, model: WidgetModel, sentence: string): void {
  const paragraph = document.createElement("p");
  paragraph.setAttribute("role", "status");
  paragraph.style.whiteSpace = "pre-line";
  paragraph.textContent = [model.get("_fallback"), sentence].filter(Boolean).join("\n");
  el.replaceChildren(paragraph);
}

// Each widget has a copy of this file: what is to be there once a page, they find here.
const page = globalThis as unknown as Record<string, Promise<MainModule> | undefined>;

/** The code, fetched by the first widget that needs it; when that one goes before it has come, by the next. */
async function loadFromKernel(model: WidgetModel, signal: AbortSignal): Promise<MainModule> {
  const key = `a6hub-jupyter main.js ${__MAIN_HASH__} ${model.get("_kernel")}`;
  for (;;) {
    const others = page[key];
    const loading =
      others ?? assetOfKernel(model, "main.js", signal).then((url) => import(/* @vite-ignore */ url));
    page[key] = loading;
    try {
      return await loading;
    } catch (reason) {
      if (page[key] === loading) delete page[key];
      if (!others || signal.aborted) throw reason;
    }
  }
}

async function load(
  props: RenderProps,
  server: ServerAddress | null,
  ended: AbortSignal,
): Promise<MainModule> {
  // The browser keeps modules by URL, so every widget of a page shares this one.
  if (server) return import(/* @vite-ignore */ assetUrl(server, "main.js", __MAIN_HASH__));
  const late = setTimeout(() => showSentence(props.el, props.model, BUSY), PATIENCE);
  try {
    return await loadFromKernel(props.model, ended);
  } finally {
    clearTimeout(late);
  }
}

async function render(props: RenderProps): Promise<() => void> {
  const { model, el, signal } = props;
  const ended = new AbortController();
  const end = () => ended.abort();
  signal?.addEventListener("abort", end, { once: true });
  const server = findServer();
  // Without a kernel at the other end there is nobody to ask.
  if (!server && !model.send) {
    showSentence(el, model, NO_KERNEL);
    return end;
  }
  const begin = async () => {
    try {
      const main = await load(props, server, ended.signal);
      if (ended.signal.aborted) return;
      const where = server ?? { base: "", token: "", relayed: true };
      const context: WidgetContext = { ...where, el, model, signal: ended.signal };
      if (model.get("_view") === "layout") main.renderLayout(context);
      else main.renderBuild(context);
    } catch (reason) {
      if (ended.signal.aborted) return;
      console.error(reason);
      showSentence(el, model, server || !(reason instanceof Error) ? NOT_LOADED : reason.message);
    }
  };
  // A front end may give up on what takes long to render, and a busy kernel takes as long as its cell.
  const begun = begin();
  if (server) await begun;
  return end;
}

export default { render };
