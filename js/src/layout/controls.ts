type Position = { x: number; y: number };

/** What the controls ask for; positions and distances are CSS pixels from the upper left of the element. */
export interface Moves {
  pan(dx: number, dy: number): void;
  /** Zoom at a place, or at the middle. */
  zoom(factor: number, x?: number, y?: number): void;
  fit(): void;
  /** The pointer is here, or nowhere. */
  hover(position: Position | undefined): void;
  /** A click, not a drag; from the keyboard without a position. */
  click(position: Position | undefined): void;
  /** A box is being drawn, or is given up. */
  band(from: Position | undefined, to?: Position): void;
  /** The box is done. */
  box(from: Position, to: Position): void;
  /** Another key; says whether it meant something. */
  key(key: string): boolean;
}

const KEY_PAN = 80;
const KEY_ZOOM = 1.4;
const WHEEL = 0.0016;
const LINE_HEIGHT = 33; // pixels of a wheel that counts in lines, as Firefox's does
const CLICK = 4; // pixels that a hand may move in a click

/** Make an element pan, zoom and point with the mouse, fingers and keys, until `signal` aborts. */
export function listen(element: HTMLElement, moves: Moves, signal: AbortSignal): void {
  const pointers = new Map<number, Position>();
  let start: Position | undefined;
  let boxing = false;
  const at = (event: MouseEvent) => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const on = <K extends keyof HTMLElementEventMap>(type: K, run: (event: HTMLElementEventMap[K]) => void) =>
    element.addEventListener(type, run, { signal, passive: false });
  const near = (one: Position, other: Position) => Math.hypot(one.x - other.x, one.y - other.y) < CLICK;

  on("wheel", (event) => {
    event.preventDefault();
    const { x, y } = at(event);
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_HEIGHT : 1;
    // Browsers tell of a pinch on a touchpad as of a wheel with Ctrl, in much smaller steps.
    const speed = WHEEL * unit * (event.ctrlKey ? 6 : 1);
    moves.zoom(Math.exp(-Math.max(-400, Math.min(400, event.deltaY)) * speed), x, y);
  });
  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    const position = at(event);
    pointers.set(event.pointerId, position);
    if (event.isTrusted) element.setPointerCapture(event.pointerId);
    boxing = event.shiftKey && pointers.size === 1;
    start = pointers.size === 1 ? position : undefined;
  });
  on("pointermove", (event) => {
    const position = at(event);
    moves.hover(position);
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (boxing && start) {
      moves.band(start, position);
      return;
    }
    // A hand that trembles in a click does not move the picture.
    if (start && near(start, position)) return;
    start = undefined;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, position);
    if (!other) {
      moves.pan(position.x - before.x, position.y - before.y);
      return;
    }
    const spread = (one: Position) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
    moves.zoom(spread(position) / spread(before), (position.x + other.x) / 2, (position.y + other.y) / 2);
    moves.pan((position.x - before.x) / 2, (position.y - before.y) / 2);
  });
  on("pointerup", (event) => {
    if (!pointers.delete(event.pointerId)) return;
    const position = at(event);
    if (start && near(start, position)) moves.click(position);
    else if (start && boxing) moves.box(start, position);
    if (boxing) moves.band(undefined);
    start = undefined;
    boxing = false;
  });
  on("pointercancel", (event) => {
    pointers.delete(event.pointerId);
    moves.band(undefined);
    start = undefined;
    boxing = false;
  });
  on("pointerleave", () => moves.hover(undefined));
  on("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== element) return;
    const act = keys[event.key];
    if (act) act(moves);
    else if (!moves.key(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

const keys: Readonly<Record<string, (moves: Moves) => void>> = {
  ArrowLeft: (moves) => moves.pan(KEY_PAN, 0),
  ArrowRight: (moves) => moves.pan(-KEY_PAN, 0),
  ArrowUp: (moves) => moves.pan(0, KEY_PAN),
  ArrowDown: (moves) => moves.pan(0, -KEY_PAN),
  "+": (moves) => moves.zoom(KEY_ZOOM),
  "=": (moves) => moves.zoom(KEY_ZOOM),
  "-": (moves) => moves.zoom(1 / KEY_ZOOM),
  f: (moves) => moves.fit(),
  F: (moves) => moves.fit(),
  Enter: (moves) => moves.click(undefined),
};
