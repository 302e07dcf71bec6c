import type { ServerAddress, WidgetContext } from "../context";
import { element } from "../dom";
import logSheet from "../log/style.css?inline";
import themeSheet from "../theme.css?inline";
import { ServerTransport } from "../transport";
import { BuildFeeds } from "./feeds";
import resultsSheet from "./results.css?inline";
import buildSheet from "./style.css?inline";
import { createBuildView } from "./view";

const feedsOfServers = new Map<string, BuildFeeds>();

function feedsOf({ base, token }: ServerAddress): BuildFeeds {
  const key = `${base} ${token}`;
  const known = feedsOfServers.get(key);
  if (known) return known;
  const feeds = new BuildFeeds(new ServerTransport({ base, token }));
  feedsOfServers.set(key, feeds);
  return feeds;
}

/**
 * Shows the build that the model's `build_id` names, and the next one when that changes. `renderLayout` opens the
 * layout of a finished build in a place of its own.
 */
export function renderBuild(
  context: WidgetContext,
  renderLayout: (context: WidgetContext) => unknown,
  feeds = feedsOf(context),
): void {
  const { el, model, signal } = context;
  // Otherwise JupyterLab takes the arrow keys and Enter for itself.
  const host = element("div", { "data-lm-suppress-shortcuts": "true" });
  const root = host.attachShadow({ mode: "open" });
  const place = element("div");
  root.append(element("style", {}, themeSheet, logSheet, buildSheet, resultsSheet), place);
  el.replaceChildren(host);
  let shown: AbortController | null = null;

  const show = () => {
    shown?.abort();
    shown = new AbortController();
    const buildId = String(model.get("build_id") ?? "");
    if (!buildId) {
      place.replaceChildren(element("p", { class: "build notice" }, "There is no build to show yet."));
      return;
    }
    const explore = (at: HTMLElement, until: AbortSignal) =>
      renderLayout({ ...context, el: at, signal: until });
    place.replaceChildren(createBuildView(feeds.join(buildId, shown.signal), explore, shown.signal));
  };

  model.on("change:build_id", show);
  signal.addEventListener(
    "abort",
    () => {
      model.off("change:build_id", show);
      shown?.abort();
      el.replaceChildren();
    },
    { once: true },
  );
  show();
}
