import { element, setAttribute, setText } from "../dom";
import { formatClock, formatRough } from "../format";
import { icon } from "../icons";
import { type Build, isAlive } from "../transport";
import type { Actions } from "./actions";
import type { BuildFeed } from "./feed";
import { buildSign, CONNECTION_SIGNS, explain, stepCount } from "./words";

export interface Header {
  readonly element: HTMLElement;
  update(): void;
  tick(): void;
}

/** Seconds that a build has run, at `now` (ms) if it still does; null before its start. */
export function elapsedSeconds(build: Build, now: number): number | null {
  if (!build.started) return null;
  const end = build.finished ? Date.parse(build.finished) : isAlive(build.state) ? now : Number.NaN;
  const seconds = (end - Date.parse(build.started)) / 1000;
  return Number.isFinite(seconds) ? seconds : null;
}

/** The name of the build, how far it is, and what can be done with it. */
export function createHeader(feed: BuildFeed, actions: Actions, ask: HTMLElement): Header {
  const name = element("h2", { class: "design" });
  const facts = element("ul", { class: "facts", "aria-label": "Build settings" });
  const state = element("span", { class: "state" });
  const elapsed = element("span", { class: "elapsed" });
  const count = element("span", { class: "count" });
  const connection = element("span", { class: "connection" });
  const remaining = element("span", { class: "remaining" });
  const basisOfIt = element("span", { class: "basis" });
  const fill = element("div", { class: "fill" });
  const percent = element("span", { class: "percent", "aria-hidden": "true" });
  const bar = element(
    "div",
    {
      class: "progress",
      role: "progressbar",
      "aria-label": "Build progress",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    fill,
  );
  const reason = element("p", { class: "reason", hidden: true });
  const download = element(
    "a",
    {
      class: "plain",
      href: feed.transport.archiveUrl(feed.buildId),
      download: `${feed.buildId}.zip`,
      title: "All files of this build, as a zip",
      hidden: true,
    },
    "Download",
  );
  const header = element(
    "header",
    {},
    element("div", { class: "title" }, name, facts, connection, ...actions.buttons, download),
    element("div", { class: "standing" }, state, count, elapsed, remaining, basisOfIt, ask, percent),
    bar,
    reason,
    actions.problem,
  );

  let shownFacts = "";
  let shownConnection = "";

  function updateFacts(build: Build): void {
    const said = [
      ["Flow", build.flow],
      ["PDK", build.pdk],
      ["Toolchain", build.toolchain],
    ];
    const key = JSON.stringify([said, build.pdk_note, build.toolchain_reason]);
    if (key === shownFacts) return;
    shownFacts = key;
    const items = said.map(([what, value]) => {
      // "express" and "path" alone say little.
      const said = what === "Toolchain" && value ? `toolchain ${value}` : (value ?? "");
      const why = what === "Toolchain" && build.toolchain_reason;
      const item = element("li", { title: why ? `${what}: ${why}` : (what ?? null) }, said);
      if (what === "PDK" && build.pdk_note)
        item.append(" ", element("span", { class: "note" }, build.pdk_note));
      return item;
    });
    facts.replaceChildren(...items);
  }

  function updateConnection(): void {
    const at = feed.connection.state;
    // A finished build is all there: that its stream has closed is no news.
    const finished = feed.build !== null && !isAlive(feed.build.state) && at === "closed";
    const key = finished && !feed.connection.sentence ? "" : at;
    if (key === shownConnection && connection.childElementCount) return;
    shownConnection = key;
    connection.hidden = key === "";
    connection.dataset.state = at;
    connection.replaceChildren(icon(CONNECTION_SIGNS[at].icon), CONNECTION_SIGNS[at].word);
  }

  function tick(): void {
    const seconds = feed.build && elapsedSeconds(feed.build, feed.now());
    setText(elapsed, seconds === null ? "" : formatClock(seconds));
    const left = feed.secondsLeft();
    const basis = feed.build?.eta_basis;
    const expected =
      left === null ? "" : left > 0 ? `about ${formatRough(left)} left` : "taking longer than expected";
    setText(remaining, expected);
    setText(basisOfIt, expected && basis ? `from ${basis}` : "");
    setAttribute(remaining, "title", expected && basis ? `As ${basis} took` : null);
  }

  function update(): void {
    updateConnection();
    const { build } = feed;
    header.classList.toggle("empty", !build);
    if (!build) return;
    updateFacts(build);
    setText(name, build.design.name);
    setAttribute(name, "title", `${build.design.directory} · build ${build.id}`);
    const sign = buildSign(build.state);
    const alive = isAlive(build.state);
    if (state.dataset.state !== build.state) {
      state.dataset.state = build.state;
      state.replaceChildren(icon(sign.icon), sign.word);
    }
    const progress = Math.round(Math.min(100, Math.max(0, build.progress)));
    setAttribute(bar, "aria-valuenow", progress);
    setAttribute(bar, "aria-valuetext", `${progress} %, ${sign.word.toLowerCase()}`);
    bar.dataset.state = build.state;
    fill.style.width = `${progress}%`;
    setText(percent, alive && build.state !== "queued" ? `${progress} %` : "");
    setText(count, stepCount(build));
    const why = explain(build);
    reason.hidden = !why;
    setText(reason, why ?? "");
    actions.update(build);
    const gone = feed.connection.state === "closed" && feed.connection.sentence !== null;
    download.hidden = alive || gone || build.completed_steps.length === 0;
    tick();
  }

  return { element: header, update, tick };
}
