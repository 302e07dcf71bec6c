import { layoutWorkerUrl } from "../assets";
import type { ServerAddress } from "../context";
import { element } from "../dom";
import theme from "../theme.css?inline";
import type { RelayGateway } from "../transport";
import cards from "./cards.css?inline";
import { carry } from "./carried";
import panels from "./panels.css?inline";
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
  const styles = element("style", {}, theme, sheet, panels, cards);
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
    const beside = {
      report: sync.text("markers"),
      other: sync.text("other"),
      otherBuild: sync.text("other_build"),
    };
    const address = saved?.address ?? (source && sceneAddress(context, source, beside));
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
      const { relay } = context;
      const ask = (path: string) => relay.request(path, { signal: until });
      carry(relay, source, beside, until).then(
        (carried) => {
          if (until.aborted) return;
          script = carried.worker;
          view.open(carried.address, ask);
        },
        (reason) => until.aborted || view.fail(reason instanceof Error ? reason.message : String(reason)),
      );
    } else view.open(address);
  };
  signal.addEventListener("abort", () => ended?.abort());
  show();
  if (!context.source && !saved)
    for (const name of ["build_id", "path", "markers", "other", "other_build"]) sync.follow(name, show);
}

function sourceOf(sync: Sync): LayoutSource | undefined {
  if (sync.text("build_id")) return { build: sync.text("build_id") };
  return sync.text("path") ? { path: sync.text("path") } : undefined;
}

/** What is shown beside a layout: a file with markers, and a layout to compare with, by path or as a build. */
export interface Beside {
  readonly report?: string;
  readonly other?: string;
  readonly otherBuild?: string;
}

/** Where the server has the scene, the layers and the markers of a source, and what is beside it. */
export function sceneAddress(server: ServerAddress, source: LayoutSource, beside: Beside = {}): SceneAddress {
  const api = `${server.base}api/a6hub/`;
  const file = (what: string, path: string) => `${api}layouts/${what}?path=${encodeURIComponent(path)}`;
  const build = (what: string, id: string) => `${api}builds/${encodeURIComponent(id)}/${what}`;
  const headers: Record<string, string> = server.token ? { Authorization: `token ${server.token}` } : {};
  const of = (from: LayoutSource) => ({
    scene: "build" in from ? build("scene", from.build) : file("scene", from.path),
    layers: "build" in from ? build("layers", from.build) : file("layers", from.path),
  });
  const { report, other, otherBuild } = beside;
  const base = { ...of(source), headers };
  const compared = otherBuild ? of({ build: otherBuild }) : other ? of({ path: other }) : undefined;
  const given = report ? file("markers", report) : undefined;
  if ("build" in source) {
    const markers = given ?? build("markers", source.build);
    return { ...base, markers, nets: build("", source.build), other: compared };
  }
  const differences = `${file("differences", source.path)}&other=${encodeURIComponent(other ?? "")}`;
  return { ...base, markers: given ?? (other ? differences : undefined), other: compared };
}
