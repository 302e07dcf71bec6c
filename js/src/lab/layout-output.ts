import {
  type Lumino,
  type MimeModel,
  type NotebookPanel,
  type NotebookTracker,
  RANK,
  type Renderer,
  type RendererFactory,
} from "./shared";
import { contentOf, showView } from "./views";

const MIME_TYPE = "application/vnd.a6hub.layout+json";
const WIDGET_TYPE = "application/vnd.jupyter.widget-view+json";
// A kernel that has not said for so long whether it knows the widget is not waited for; ms.
const PATIENCE = 400;

/** Whether the kernel of a notebook has a widget: never, as long as it is busy with a cell. */
async function kernelHas(panel: NotebookPanel, widget: string): Promise<boolean> {
  await panel.sessionContext.ready;
  const kernel = panel.sessionContext.session?.kernel;
  if (!kernel) return false;
  const { content } = await kernel.requestCommInfo({ target_name: "jupyter.widget" });
  return typeof content.comms === "object" && content.comms !== null && widget in content.comms;
}

/**
 * Shows a layout as the widget where the kernel has it, so that Python and the view stay the same; where it has it no
 * more, or does not answer, from what the output says of itself, through the server.
 */
export function layoutFactory({ Panel, Widget }: Lumino, panel: NotebookPanel): RendererFactory {
  function createWidgetView(): Renderer | null {
    try {
      return panel.content.rendermime.createRenderer(WIDGET_TYPE);
    } catch {
      return null; // a JupyterLab without ipywidgets
    }
  }

  class LayoutOutput extends Panel {
    private readonly ended = new AbortController();
    private rendered = false;

    async renderModel(model: MimeModel): Promise<void> {
      if (this.rendered) return;
      this.rendered = true;
      const id = String(contentOf(model.data, WIDGET_TYPE).model_id ?? "");
      const withoutKernel = new AbortController();
      this.ended.signal.addEventListener("abort", () => withoutKernel.abort(), { once: true });
      const impatient = setTimeout(() => this.showFromServer(model, withoutKernel.signal), PATIENCE);
      const known = await kernelHas(panel, id).catch(() => false);
      clearTimeout(impatient);
      if (this.ended.signal.aborted) return;
      const widget = known ? createWidgetView() : null;
      if (widget) await this.showWidget(widget, model, withoutKernel);
      else this.showFromServer(model, withoutKernel.signal);
    }

    private showFromServer(model: MimeModel, signal: AbortSignal): void {
      if (signal.aborted || this.node.hasChildNodes()) return;
      const place = new Widget();
      this.addWidget(place);
      signal.addEventListener("abort", () => place.dispose(), { once: true });
      void showView("layout", place.node, contentOf(model.data, MIME_TYPE), signal);
    }

    /** What stands there goes once the widget is there: after a reload, ipywidgets needs a while to have it again. */
    private async showWidget(widget: Renderer, model: MimeModel, before: AbortController): Promise<void> {
      if (this.node.hasChildNodes()) widget.hide();
      this.addWidget(widget);
      const shown = () => {
        if (!widget.node.querySelector(".lm-Widget")) return;
        seen.disconnect();
        before.abort();
        widget.show();
      };
      const seen = new MutationObserver(shown);
      seen.observe(widget.node, { childList: true });
      this.ended.signal.addEventListener("abort", () => seen.disconnect(), { once: true });
      await widget.renderModel(model);
    }

    override dispose(): void {
      this.ended.abort();
      super.dispose();
    }
  }

  return { safe: false, mimeTypes: [MIME_TYPE], createRenderer: () => new LayoutOutput() };
}

/** The extension that shows layouts in notebooks; `token` is JupyterLab's for all notebooks that are open. */
export function layoutExtension(lumino: Lumino, token: unknown): unknown {
  return {
    id: "a6hub-jupyter:layout",
    autoStart: true,
    requires: [token],
    activate(_app: unknown, notebooks: NotebookTracker) {
      const add = (panel: NotebookPanel) =>
        panel.content.rendermime.addFactory(layoutFactory(lumino, panel), RANK);
      notebooks.forEach(add);
      notebooks.widgetAdded.connect((_sender, panel) => add(panel));
    },
  };
}
