import { copyText } from "../clipboard";
import { element, setText } from "../dom";
import { formatBytes } from "../format";
import { icon } from "../icons";
import { cleanLine, plainText } from "../log/ansi";
import type { Artifact } from "../transport";
import type { BuildFeed } from "./feed";

const MOST_SHOWN = 512 * 1024; // bytes; a text of more is for an editor

export interface FileView {
  readonly element: HTMLElement;
  open(artifact: Artifact): Promise<void>;
}

/** A place where a text file is read. */
export function createFileView(feed: BuildFeed, signal: AbortSignal): FileView {
  const name = element("h3");
  const said = element("span", { class: "file-said", role: "status" });
  const link = element("a", { class: "quiet" }, icon("download"), "Download");
  const copy = element("button", { type: "button", class: "quiet" }, icon("copy"), "Copy");
  const close = element("button", { type: "button", class: "quiet" }, icon("cross"), "Close");
  const text = element("pre", { tabindex: 0 });
  const panel = element(
    "div",
    { class: "file-view", role: "group", "aria-label": "File", hidden: true },
    element("div", { class: "bar" }, name, said, copy, link, close),
    text,
  );
  let reading: AbortController | null = null;
  let opener: HTMLElement | null = null;

  function shut(): void {
    reading?.abort();
    panel.hidden = true;
    text.textContent = "";
    opener?.focus();
  }

  close.addEventListener("click", shut, { signal });
  panel.addEventListener("keydown", (event) => event.key === "Escape" && shut(), { signal });
  copy.addEventListener(
    "click",
    async () => {
      setText(said, (await copyText(text.textContent)) ? "Copied" : "The browser did not let us copy");
    },
    { signal },
  );
  signal.addEventListener("abort", () => reading?.abort(), { once: true });

  return {
    element: panel,
    async open(artifact) {
      reading?.abort();
      const mine = new AbortController();
      reading = mine;
      const active = (panel.getRootNode() as ShadowRoot).activeElement;
      if (active instanceof HTMLElement && !panel.contains(active)) opener = active;
      panel.hidden = false;
      setText(name, artifact.path);
      text.setAttribute("aria-label", artifact.path);
      link.href = feed.transport.artifactUrl(feed.buildId, artifact.path);
      link.download = artifact.path.slice(artifact.path.lastIndexOf("/") + 1);
      setText(said, "Loading…");
      text.textContent = "";
      try {
        const bytes = await feed.transport.readArtifact(feed.buildId, artifact, MOST_SHOWN, mine.signal);
        if (mine.signal.aborted) return;
        const shown = new TextDecoder()
          .decode(bytes)
          .split("\n")
          .map((line) => plainText(cleanLine(line)));
        text.textContent = shown.join("\n");
        const part = artifact.size > bytes.length;
        setText(
          said,
          part
            ? `The first ${formatBytes(bytes.length)} of ${formatBytes(artifact.size)}`
            : artifact.size === 0
              ? "This file is empty."
              : formatBytes(artifact.size),
        );
        panel.scrollIntoView({ block: "nearest" });
        text.focus({ preventScroll: true });
      } catch (reason) {
        if (!mine.signal.aborted)
          setText(said, `It cannot be shown. ${reason instanceof Error ? reason.message : String(reason)}`);
      }
    },
  };
}
