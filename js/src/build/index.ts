import type { ServerAddress, WidgetContext } from "../context";
import { element } from "../dom";
import logSheet from "../log/style.css?inline";
import themeSheet from "../theme.css?inline";
import { DirectGateway, type RelayGateway, relayOf, ServerTransport } from "../transport";
import { BuildFeeds } from "./feeds";
import resultsSheet from "./results.css?inline";
import stepsSheet from "./steps.css?inline";
import buildSheet from "./style.css?inline";
import { createBuildView } from "./view";

const feedsOfServers = new Map<string, BuildFeeds>();

function feedsOf({ base, token, model }: WidgetContext, relay: RelayGateway | null): BuildFeeds {
  const key = relay ? `kernel ${model.get("_kernel")}` : `${base} ${token}`;
  const known = feedsOfServers.get(key);
  if (known) return known;
  const feeds = new BuildFeeds(new ServerTransport(relay ?? new DirectGateway({ base, token })));
  feedsOfServers.set(key, feeds);
  return feeds;
}

/** Where and of which build a layout is to be drawn. */
export interface LayoutPlace extends ServerAddress {
  readonly el: HTMLElement;
  readonly signal: AbortSignal;
  readonly source: { readonly build: string };
  readonly relay?: RelayGateway;
}

/**
 * Shows the build that the model's `build_id` names, and the next one when that changes. `renderLayout` opens the
 * layout of a finished build in a place of its own.
 */
export function renderBuild(
  context: WidgetContext,
  renderLayout: (place: LayoutPlace) => unknown,
  given?: BuildFeeds,
): void {
  const relay = context.relayed ? relayOf(context.model, context.signal) : null;
  const feeds = given ?? feedsOf(context, relay);
  const { el, model, signal, base, token } = context;
  // Otherwise JupyterLab takes the arrow keys and Enter for itself.
  const host = element("div", { "data-lm-suppress-shortcuts": "true" });
  const root = host.attachShadow({ mode: "open" });
  const place = element("div");
  root.append(element("style", {}, themeSheet, logSheet, buildSheet, stepsSheet, resultsSheet), place);
  el.replaceChildren(host);
  let shown: AbortController | null = null;

  const showOfModel = () => show(String(model.get("build_id") ?? ""));
  const show = (buildId: string) => {
    shown?.abort();
    shown = new AbortController();
    if (!buildId) {
      place.replaceChildren(element("p", { class: "build notice" }, "There is no build to show yet."));
      return;
    }
    const explore = (at: HTMLElement, until: AbortSignal) =>
      renderLayout({
        base,
        token,
        el: at,
        signal: until,
        source: { build: buildId },
        ...(relay && { relay }),
      });
    place.replaceChildren(createBuildView(feeds.join(buildId, shown.signal), explore, show, shown.signal));
  };

  model.on("change:build_id", showOfModel);
  signal.addEventListener(
    "abort",
    () => {
      model.off("change:build_id", showOfModel);
      shown?.abort();
      el.replaceChildren();
    },
    { once: true },
  );
  showOfModel();
}
