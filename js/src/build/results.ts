import { element, setAttribute, setText } from "../dom";
import { formatBytes, formatNumber } from "../format";
import { icon } from "../icons";
import { type Artifact, type Build, isAlive } from "../transport";
import { metricTable } from "./all-metrics";
import { fileList, findReports, rankArtifacts } from "./artifacts";
import { createDrawers } from "./drawers";
import type { BuildFeed } from "./feed";
import { fileTree } from "./file-tree";
import { createFileView } from "./file-view";
import { figureLists, keyFigures } from "./metrics";
import { resolvedConfig, settingsPanel } from "./settings";

const MOST_READ = 4 * 1024 * 1024; // bytes of a configuration

/** Draws a layout into `el` until `signal` aborts. */
export type Explore = (el: HTMLElement, signal: AbortSignal) => void;

export interface Results {
  readonly element: HTMLElement;
  update(): void;
}

/** What came out of a build: key figures, picture, reports, files, and on request the layout and all details. */
export function createResults(feed: BuildFeed, explore: Explore, signal: AbortSignal): Results {
  const figures = element("div", { class: "figures-place" });
  const picture = element("figure", { class: "picture", hidden: true });
  const files = element("div", { class: "files" });
  const layout = element("div", { class: "layout-panel", hidden: true });
  const open = element(
    "button",
    { type: "button", class: "plain", "aria-expanded": "false", hidden: true },
    "Explore layout",
  );
  const outcome = element(
    "div",
    { class: "outcome" },
    element("div", { class: "show" }, picture, open),
    files,
  );
  const fileView = createFileView(feed, signal);
  const drawers = createDrawers();
  const section = element(
    "div",
    { class: "results", role: "group", "aria-label": "Results", hidden: true },
    figures,
    outcome,
    layout,
    drawers.element,
    fileView.element,
  );
  let shownMetrics: unknown = null;
  let askedPicture = false;
  let askedFiles = false;
  let resolved: Artifact | undefined;
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

  const fileActions = {
    urlOf: (path: string) => feed.transport.artifactUrl(feed.buildId, path),
    open: (artifact: Artifact) => void fileView.open(artifact),
  };

  function reportButtons(artifacts: readonly Artifact[]): HTMLElement | null {
    const reports = findReports(artifacts);
    if (!reports.length) return null;
    const buttons = reports.map(({ name, artifact }) => {
      const button = element("button", { type: "button", class: "plain", title: artifact.path }, name);
      button.addEventListener("click", () => void fileView.open(artifact));
      return button;
    });
    return element(
      "div",
      { class: "reports", role: "group", "aria-label": "Reports" },
      element("h3", {}, "Reports"),
      element("div", {}, ...buttons),
    );
  }

  function archiveLink(): HTMLElement {
    const href = feed.transport.archiveUrl(feed.buildId);
    return element(
      "a",
      { href, download: `${feed.buildId}.zip`, class: "quiet" },
      icon("download"),
      "All as zip",
    );
  }

  async function showFiles(succeeded: boolean): Promise<void> {
    try {
      const artifacts = await feed.transport.artifacts(feed.buildId, signal);
      // What a broken build left behind is for those who look for a cause: reports, and all files on request.
      const best = succeeded ? rankArtifacts(artifacts) : [];
      const shown: Node[] = [];
      const reports = reportButtons(artifacts);
      if (reports) shown.push(reports);
      if (best.length)
        shown.push(
          element(
            "div",
            { class: "artifacts", role: "group", "aria-label": "Files" },
            element("h3", {}, "Files"),
            fileList(best, fileActions),
          ),
        );
      files.replaceChildren(...shown);
      resolved = resolvedConfig(artifacts);
      if (!artifacts.length) return;
      const size = artifacts.reduce((sum, one) => sum + one.size, 0);
      drawers.set("files", `All files (${formatNumber(artifacts.length)}, ${formatBytes(size)})`, () =>
        element("div", { class: "artifacts" }, archiveLink(), fileTree(artifacts, fileActions)),
      );
    } catch (reason) {
      if (signal.aborted) return;
      askedFiles = false;
      const sentence = reason instanceof Error ? reason.message : String(reason);
      files.replaceChildren(element("p", { class: "problem" }, `The files cannot be listed. ${sentence}`));
    }
  }

  async function readText(file: Artifact): Promise<string> {
    const bytes = await feed.transport.readArtifact(feed.buildId, file, MOST_READ, signal);
    return new TextDecoder().decode(bytes);
  }

  function updateMetrics({ metrics, state }: Build): void {
    if (metrics === shownMetrics) return;
    shownMetrics = metrics;
    const lists = figureLists(keyFigures(metrics));
    // What a broken build measured is not what a finished one would have.
    if (lists.length && state !== "succeeded") lists.unshift(element("h3", {}, "Measured until then"));
    figures.replaceChildren(...lists);
    const count = Object.keys(metrics).length;
    if (count) drawers.set("metrics", `All metrics (${formatNumber(count)})`, () => metricTable(metrics));
  }

  function update(): void {
    const { build } = feed;
    if (!build || isAlive(build.state)) return;
    updateMetrics(build);
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
    drawers.set("settings", "Command and configuration", () => {
      const file = resolved;
      return settingsPanel(feed.build ?? build, file ? () => readText(file) : null);
    });
  }

  return { element: section, update };
}
