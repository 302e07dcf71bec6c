// The part of JupyterLab and Notebook 7 that shows builds of saved notebooks: an output names its build, and that is
// enough, whatever became of the kernel. Written by hand to what a federated extension is, so that it needs no bundler
// of JupyterLab's.
import { assetUrl } from "./assets";
import type { ServerAddress, WidgetContext } from "./context";
import { findServer } from "./page";

const MIME_TYPE = "application/vnd.a6hub.build+json";
// Below the -10 of ipywidgets: a widget's view is nothing without its kernel.
const RANK = -20;

type Shared = Readonly<
  Record<string, Readonly<Record<string, { get(): Promise<() => unknown> | (() => unknown) }>>>
>;

/** What of Lumino's widget is used. */
interface LuminoWidget {
  readonly node: HTMLElement;
  readonly isDisposed: boolean;
  dispose(): void;
}

interface MimeModel {
  readonly data: Readonly<Record<string, unknown>>;
}

let shared: Shared = {};

/** A module that JupyterLab has already, in any of its versions. */
async function sharedModule(name: string): Promise<Record<string, unknown>> {
  const [version] = Object.values(shared[name] ?? {});
  if (!version) throw new Error(`JupyterLab does not share ${name}.`);
  return (await version.get())() as Record<string, unknown>;
}

/** The views' code, as the server has it now: this extension may be older. */
async function loadMain(server: ServerAddress): Promise<{ renderBuild(context: WidgetContext): void }> {
  const manifest = await fetch(`${server.base}static/a6hub_jupyter/manifest.json`, { cache: "no-cache" });
  const hash = (await manifest.json())["main.js"].hash;
  return import(/* @vite-ignore */ assetUrl(server, "main.js", hash));
}

function buildOf(model: MimeModel): string {
  const data = model.data[MIME_TYPE];
  return typeof data === "object" && data !== null && "build_id" in data ? String(data.build_id) : "";
}

async function mimeExtension(): Promise<unknown> {
  const { Widget } = (await sharedModule("@lumino/widgets")) as { Widget: new () => LuminoWidget };

  class BuildOutput extends Widget {
    private readonly ended = new AbortController();
    private shown = "";

    /** Lab asks again when the output is brought up to date: the view of a build does that by itself. */
    async renderModel(model: MimeModel): Promise<void> {
      const id = buildOf(model);
      const server = findServer();
      if (id === this.shown || !server) return;
      this.shown = id;
      try {
        const main = await loadMain(server);
        if (this.isDisposed) return;
        const fixed = { get: (name: string) => (name === "build_id" ? id : ""), on() {}, off() {} };
        main.renderBuild({ ...server, el: this.node, model: fixed, signal: this.ended.signal });
      } catch (reason) {
        console.error(reason);
        this.node.textContent =
          "The a6hub-jupyter code did not load from the Jupyter server. " +
          "Check that a6hub-jupyter is installed there, then reload the page.";
      }
    }

    override dispose(): void {
      this.ended.abort();
      super.dispose();
    }
  }

  const plugin = {
    id: "a6hub-jupyter:build",
    rendererFactory: { safe: false, mimeTypes: [MIME_TYPE], createRenderer: () => new BuildOutput() },
    rank: RANK,
    dataType: "json",
  };
  return { __esModule: true, default: plugin };
}

const extensions = globalThis as unknown as { _JUPYTERLAB?: Record<string, unknown> };
extensions._JUPYTERLAB ??= {};
extensions._JUPYTERLAB["a6hub-jupyter"] = {
  init(scope: Shared) {
    shared = scope;
  },
  async get() {
    const module = await mimeExtension();
    return () => module;
  },
};
