type Child = Node | string | null | undefined | false;

/** A new element with attributes (absent for null and false, empty for true) and children; text stays text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number | boolean | null | undefined>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  for (const child of children) if (child) made.append(child);
  return made;
}

/** Sets or, for null, undefined and false, removes an attribute. */
export function setAttribute(
  on: Element,
  name: string,
  value: string | number | boolean | null | undefined,
): void {
  if (value === null || value === undefined || value === false) on.removeAttribute(name);
  else on.setAttribute(name, value === true ? "" : String(value));
}

/** Sets an element's text if it differs, so that a selection in it survives and nothing is read out twice. */
export function setText(on: Element, text: string): void {
  if (on.textContent !== text) on.textContent = text;
}

/** Makes `nodes` the children of `parent`; those that are in their place stay untouched, with focus and selection. */
export function setChildren(parent: Element, nodes: readonly Node[]): void {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let place: ChildNode | null = parent.firstChild;
  for (const node of nodes) {
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
}

/** Makes at most one call per frame, however often it is asked to; none once `signal` aborts. */
export function oncePerFrame(call: () => void, signal: AbortSignal): () => void {
  let frame = 0;
  signal.addEventListener("abort", () => cancelAnimationFrame(frame), { once: true });
  return () => {
    if (frame || signal.aborted) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      call();
    });
  };
}
