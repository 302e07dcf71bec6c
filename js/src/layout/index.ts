import { layoutWorkerUrl } from "../assets";
import type { ServerAddress } from "../context";
import { element } from "../dom";
import theme from "../theme.css?inline";
import type { RelayGateway } from "../transport";
import { carry } from "./carried";
import type { SceneAddress } from "./protocol";
import sheet from "./style.css?inline";
import { type LayoutModel, Sync } from "./sync";
import { LayoutView } from "./view";

/** A layout: that of a build, or a file by its path below the server's root. */
export type LayoutSource = { readonly build: string } | { readonly path: string };

/** What a layout is shown with. `source` goes before `model`; the view is gone once `signal` aborts. */
export interface LayoutContext extends ServerAddress {
  readonly el: HTMLElement;
  readonly signal: AbortSignal;
  readonly model?: LayoutModel;
  readonly source?: LayoutSource;
  /** Brings what the page cannot fetch by itself. */
  readonly relay?: RelayGateway;
  /** In a saved page: everything is at hand, and there is no server. */
  readonly saved?: { readonly address: SceneAddress; readonly worker: string };
}

/** Show a layout in `context.el`: drawn, with its layers beside it, or one sentence that says why not. */
export function renderLayout(context: LayoutContext): void {
  const { el, signal, saved } = context;
  const host = document.createElement("div");
  // JupyterLab's shortcuts would take `f` and the arrows away.
  host.dataset.lmSuppressShortcuts = "true";
  const root = host.attachShadow({ mode: "open" });
  const styles = element("style", {}, theme, sheet);
  if (saved) host.style.height = "100%";
  el.append(host);
  signal.addEventListener("abort", () => host.remove());
  const sync = new Sync(context.model, signal);
  let ended: AbortController | undefined;
  const show = () => {
    ended?.abort();
    ended = new AbortController();
    const layout = element("div", { class: saved ? "layout saved" : "layout" });
    root.replaceChildren(styles, layout);
    const source = context.source ?? sourceOf(sync);
    const address = saved?.address ?? (source && sceneAddress(context, source, sync.text("markers")));
    let script = layoutWorkerUrl(context);
    // A page from a file may start classic workers only.
    const worker = () =>
      saved
        ? new Worker(saved.worker, { name: "layout" })
        : new Worker(script, { type: "module", name: "layout" });
    const view = new LayoutView(layout, worker, sync, ended.signal);
    if (!address)
      view.fail("There is no layout to show: give the id of a build, or the path of a layout file.");
    else if (!("transferControlToOffscreen" in HTMLCanvasElement.prototype))
      view.fail("This browser cannot draw layouts (it has no OffscreenCanvas). Use a current one.");
    else if (context.relay && source) {
      const until = ended.signal;
      carry(context.relay, source, sync.text("markers"), until).then(
        (carried) => {
          if (until.aborted) return;
          script = carried.worker;
          view.open(carried.address);
        },
        (reason) => until.aborted || view.fail(reason instanceof Error ? reason.message : String(reason)),
      );
    } else view.open(address);
  };
  signal.addEventListener("abort", () => ended?.abort());
  show();
  if (!context.source && !saved) for (const name of ["build_id", "path", "markers"]) sync.follow(name, show);
}

function sourceOf(sync: Sync): LayoutSource | undefined {
  if (sync.text("build_id")) return { build: sync.text("build_id") };
  return sync.text("path") ? { path: sync.text("path") } : undefined;
}

/** Where the server has the scene, the layers and the markers of a source; `report` is a file with markers. */
export function sceneAddress(server: ServerAddress, source: LayoutSource, report = ""): SceneAddress {
  const api = `${server.base}api/a6hub/`;
  const file = (what: string, path: string) => `${api}layouts/${what}?path=${encodeURIComponent(path)}`;
  const url = (what: string) =>
    "build" in source ? `${api}builds/${encodeURIComponent(source.build)}/${what}` : file(what, source.path);
  const headers: Record<string, string> = server.token ? { Authorization: `token ${server.token}` } : {};
  const ofBuild = "build" in source ? url("markers") : undefined;
  return {
    scene: url("scene"),
    layers: url("layers"),
    markers: report ? file("markers", report) : ofBuild,
    headers,
  };
}
