import { element } from "../dom";
import { formatBytes, formatNumber } from "../format";
import type { Artifact } from "../transport";
import { type FileActions, fileEntry } from "./artifacts";

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: Artifact[];
  size: number;
  count: number;
}

function emptyFolder(): Folder {
  return { folders: new Map(), files: [], size: 0, count: 0 };
}

function plant(artifacts: readonly Artifact[]): Folder {
  const root = emptyFolder();
  for (const artifact of artifacts) {
    const parts = artifact.path.split("/").slice(0, -1);
    let at = root;
    for (const part of parts) {
      let next = at.folders.get(part);
      if (!next) {
        next = emptyFolder();
        at.folders.set(part, next);
      }
      next.size += artifact.size;
      next.count += 1;
      at = next;
    }
    at.files.push(artifact);
  }
  return root;
}

function entriesOf(folder: Folder, actions: FileActions): HTMLElement[] {
  const folders = [...folder.folders].map(([name, one]) => element("li", {}, folderNode(name, one, actions)));
  return [...folders, ...folder.files.map((file) => fileEntry(file, null, actions))];
}

function folderNode(name: string, folder: Folder, actions: FileActions): HTMLElement {
  const list = element("ul");
  const size = `${formatNumber(folder.count)} ${folder.count === 1 ? "file" : "files"}, ${formatBytes(folder.size)}`;
  const node = element(
    "details",
    {},
    element(
      "summary",
      {},
      element("span", { class: "name" }, name),
      element("span", { class: "size" }, size),
    ),
    list,
  );
  // A run has a thousand files: entries are made for the reader who opens their folder.
  node.addEventListener("toggle", () => list.append(...entriesOf(folder, actions)), { once: true });
  return node;
}

/** A build's files in their folders. */
export function fileTree(artifacts: readonly Artifact[], actions: FileActions): HTMLElement {
  return element("ul", { class: "tree" }, ...entriesOf(plant(artifacts), actions));
}
