import { element, setAttribute, setText } from "../dom";
import { isAlive } from "../transport";
import { artifactList, rankArtifacts } from "./artifacts";
import type { BuildFeed } from "./feed";
import { figureList, keyFigures } from "./metrics";

/** Draws a layout into `el` until `signal` aborts. */
export type Explore = (el: HTMLElement, signal: AbortSignal) => void;

export interface Results {
  readonly element: HTMLElement;
  update(): void;
}

/** What came out of a build: key figures, picture, files, and the layout on request. */
export function createResults(feed: BuildFeed, explore: Explore, signal: AbortSignal): Results {
  const figures = element("div", { class: "figures-place" });
  const picture = element("figure", { class: "picture", hidden: true });
  const files = element("div", { class: "files" });
  const layout = element("div", { class: "layout-panel", id: "layout-panel", hidden: true });
  const open = element(
    "button",
    {
      type: "button",
      class: "plain",
      "aria-expanded": "false",
      "aria-controls": "layout-panel",
      hidden: true,
    },
    "Explore layout",
  );
  const outcome = element(
    "div",
    { class: "outcome" },
    element("div", { class: "show" }, picture, open),
    files,
  );
  const section = element(
    "div",
    { class: "results", role: "group", "aria-label": "Results", hidden: true },
    figures,
    outcome,
    layout,
  );
  let shownMetrics: unknown = null;
  let askedPicture = false;
  let askedFiles = false;
  let openLayout: AbortController | null = null;

  open.addEventListener("click", toggleLayout, { signal });
  signal.addEventListener("abort", () => openLayout?.abort(), { once: true });

  function toggleLayout(): void {
    const closing = openLayout;
    openLayout = closing ? null : new AbortController();
    layout.hidden = closing !== null;
    setAttribute(open, "aria-expanded", String(closing === null));
    setText(open, closing ? "Explore layout" : "Close layout");
    if (openLayout) {
      const place = element("div", { class: "layout-view" });
      layout.replaceChildren(place);
      explore(place, openLayout.signal);
    } else {
      closing?.abort();
      layout.replaceChildren();
    }
  }

  async function showPicture(name: string): Promise<void> {
    try {
      // Fetched and not linked, since an image's own request carries no token.
      const url = URL.createObjectURL(await feed.transport.picture(feed.buildId, signal));
      signal.addEventListener("abort", () => URL.revokeObjectURL(url), { once: true });
      if (signal.aborted) return URL.revokeObjectURL(url);
      picture.replaceChildren(element("img", { src: url, alt: `Layout of ${name}` }));
      picture.hidden = false;
    } catch {
      askedPicture = false; // there is none yet, or no server: the next change of the build asks again
    }
  }

  async function showFiles(succeeded: boolean): Promise<void> {
    try {
      const artifacts = await feed.transport.artifacts(feed.buildId, signal);
      // What a broken build left behind is for those who look for a cause: one line, to be opened.
      const best = succeeded ? rankArtifacts(artifacts) : [];
      const list = artifactList(artifacts, best, (path) => feed.transport.artifactUrl(feed.buildId, path));
      files.replaceChildren(...(artifacts.length ? [list] : []));
    } catch (reason) {
      if (signal.aborted) return;
      askedFiles = false;
      const sentence = reason instanceof Error ? reason.message : String(reason);
      files.replaceChildren(element("p", { class: "problem" }, `The files cannot be listed. ${sentence}`));
    }
  }

  function update(): void {
    const { build } = feed;
    if (!build || isAlive(build.state)) return;
    if (build.metrics !== shownMetrics) {
      shownMetrics = build.metrics;
      const known = keyFigures(build.metrics);
      figures.replaceChildren(...(known.length ? [figureList(known)] : []));
    }
    section.hidden = false;
    open.hidden = !build.has_layout;
    outcome.classList.toggle("bare", !build.has_layout && !build.has_picture);
    if (build.has_picture && !askedPicture) {
      askedPicture = true;
      void showPicture(build.design.name);
    }
    if (!askedFiles) {
      askedFiles = true;
      void showFiles(build.state === "succeeded");
    }
  }

  return { element: section, update };
}
