import { element, setAttribute, setChildren, setText } from "../dom";
import { formatSeconds } from "../format";
import type { Step } from "../transport";
import type { BuildFeed } from "./feed";
import { groupSteps, PHASE_NAMES, type Phase } from "./phases";
import { stepSeconds } from "./step-item";

/** Shorter parts of the whole could not be pointed at: neighbours of that kind make one piece. */
const SMALLEST = 0.012;

interface Piece {
  readonly key: string;
  readonly phase: Phase;
  readonly steps: readonly Step[];
  readonly seconds: number;
}

export interface Timeline {
  readonly element: HTMLElement;
  update(): void;
  tick(): void;
}

function pieceName({ steps, seconds, phase }: Piece, total: number): string {
  const [first] = steps;
  const name =
    steps.length === 1 && first
      ? first.name
      : `${steps.length} short steps of ${PHASE_NAMES[phase].toLowerCase()}`;
  const percent = Math.round((100 * seconds) / total);
  return `${name}, ${formatSeconds(seconds)} (${percent < 1 ? "under 1" : percent} %)`;
}

/** Cuts the time spent so far into pieces in the order of the flow; together they are all of it. */
export function cutTime(steps: readonly Step[], now: number): { pieces: Piece[]; total: number } {
  const times = new Map(steps.map((step) => [step, stepSeconds(step, now) ?? 0]));
  const total = [...times.values()].reduce((sum, one) => sum + one, 0);
  const pieces: Piece[] = [];
  for (const { phase, steps: members } of groupSteps(steps)) {
    let short: Step[] = [];
    const flush = () => {
      const seconds = short.reduce((sum, step) => sum + (times.get(step) ?? 0), 0);
      if (short[0] && seconds > 0) pieces.push({ key: `${short[0].id}…`, phase, steps: short, seconds });
      short = [];
    };
    for (const step of members) {
      const seconds = times.get(step) ?? 0;
      if (seconds === 0) continue;
      if (seconds < total * SMALLEST) short.push(step);
      else {
        flush();
        pieces.push({ key: step.id, phase, steps: [step], seconds });
      }
    }
    flush();
  }
  return { pieces, total };
}

/** A strip that shows where the time went; each piece tells its name and leads to its output. */
export function createTimeline(
  feed: BuildFeed,
  showStep: (step: Step) => void,
  signal: AbortSignal,
): Timeline {
  const strip = element("div", {
    class: "strip",
    role: "toolbar",
    "aria-label": "Where the time went",
  });
  const said = element("span", { class: "strip-said", "aria-hidden": "true" });
  const panel = element("div", { class: "timeline", hidden: true }, strip, said);
  const buttons = new Map<string, HTMLButtonElement>();
  let pieces: Piece[] = [];
  let total = 0;
  let atKey: string | null = null;
  let pointed: string | null = null;

  const pieceOf = (target: EventTarget | null) => {
    const key = target instanceof Element ? target.closest<HTMLElement>("button")?.dataset.key : undefined;
    return pieces.find((piece) => piece.key === key);
  };

  function say(): void {
    const longest = pieces.reduce<Piece | null>(
      (most, one) => (most && most.seconds >= one.seconds ? most : one),
      null,
    );
    const asked = pieces.find((piece) => piece.key === pointed);
    setText(said, asked ? pieceName(asked, total) : longest ? `Longest: ${pieceName(longest, total)}` : "");
  }

  function point(key: string | null): void {
    pointed = key;
    say();
  }

  strip.addEventListener("pointerover", (event) => point(pieceOf(event.target)?.key ?? null), { signal });
  strip.addEventListener("pointerleave", () => point(null), { signal });
  strip.addEventListener("focusin", (event) => point(pieceOf(event.target)?.key ?? null), { signal });
  strip.addEventListener("focusout", () => point(null), { signal });
  strip.addEventListener(
    "click",
    (event) => {
      const step = pieceOf(event.target)?.steps[0];
      if (step) showStep(step);
    },
    { signal },
  );
  // One stop for the Tab key; the arrows go from piece to piece.
  strip.addEventListener(
    "keydown",
    (event) => {
      const at = pieces.findIndex((piece) => piece.key === pieceOf(event.target)?.key);
      const last = pieces.length - 1;
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
      const next = to === undefined || at < 0 ? undefined : pieces[Math.min(last, Math.max(0, to))];
      if (!next) return;
      event.preventDefault();
      atKey = next.key;
      draw();
      buttons.get(next.key)?.focus();
    },
    { signal },
  );

  function buttonOf(piece: Piece): HTMLButtonElement {
    const known = buttons.get(piece.key);
    if (known) return known;
    const made = element("button", { type: "button", "data-key": piece.key, "data-phase": piece.phase });
    buttons.set(piece.key, made);
    return made;
  }

  function draw(): void {
    if (!pieces.some((piece) => piece.key === atKey)) atKey = pieces[0]?.key ?? null;
    for (const piece of pieces) {
      const button = buttonOf(piece);
      button.style.flexGrow = String((100 * piece.seconds) / total); // below 1 in all, room would be left
      button.tabIndex = piece.key === atKey ? 0 : -1;
      const state = piece.steps.at(-1)?.state ?? "done";
      setAttribute(button, "data-state", state);
      setAttribute(button, "aria-label", pieceName(piece, total));
    }
    setChildren(strip, pieces.map(buttonOf));
    for (const key of buttons.keys()) if (!pieces.some((one) => one.key === key)) buttons.delete(key);
    say();
  }

  function update(): void {
    ({ pieces, total } = cutTime(feed.build?.steps ?? [], feed.now()));
    panel.hidden = pieces.length < 2;
    draw();
  }

  return { element: panel, update, tick: update };
}
