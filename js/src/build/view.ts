import { element, oncePerFrame, setText } from "../dom";
import { icon } from "../icons";
import { createLogPanel } from "../log/panel";
import { isAlive } from "../transport";
import type { BuildFeed, FeedPart } from "./feed";
import { createHeader } from "./header";
import { createResults, type Explore } from "./results";
import { createStepList } from "./steps";
import { announcement } from "./words";

const ANNOUNCE_EVERY = 1500; // ms: quick steps are not all read out

/** Tells assistive technology of steps and states, and of nothing else. */
function createAnnouncer(signal: AbortSignal) {
  const region = element("div", { class: "hidden", role: "status", "aria-live": "polite" });
  let latest = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  const say = (text: string) => {
    latest = text;
    timer ??= setTimeout(() => {
      timer = undefined;
      setText(region, latest);
    }, ANNOUNCE_EVERY);
  };
  return { region, say };
}

/**
 * One build, live, as an element; nothing of it stays once `signal` aborts. Its parts are groups and no landmarks:
 * a notebook holds many builds.
 */
export function createBuildView(feed: BuildFeed, explore: Explore, signal: AbortSignal): HTMLElement {
  const notice = element("p", { class: "notice", hidden: true });
  const failure = element("div", { class: "failure", role: "group", "aria-label": "Error", hidden: true });
  const header = createHeader(feed, signal);
  const results = createResults(feed, explore, signal);
  const log = createLogPanel(feed, feed.transport.logUrl(feed.buildId), signal);
  const steps = createStepList(feed, (offset) => void log.showOffset(offset), signal);
  const work = element("div", { class: "work" }, steps.element, log.element);
  const announcer = createAnnouncer(signal);
  let witnessed = false;
  const view = element(
    "article",
    { class: "build", "aria-label": "Build" },
    header.element,
    notice,
    failure,
    results.element,
    work,
    announcer.region,
  );

  function updateNotice(): void {
    const { state, sentence } = feed.connection;
    const waiting = !feed.build && state !== "closed" ? "Connecting to the build…" : null;
    const text = sentence ?? feed.notice ?? waiting;
    notice.hidden = !text;
    notice.dataset.state = state;
    setText(notice, text ?? "");
  }

  function updateFailure(): void {
    const error = feed.build?.error;
    failure.hidden = !error;
    const key = JSON.stringify(error);
    if (!error || failure.dataset.shown === key) return;
    failure.dataset.shown = key;
    const step = feed.build?.steps.find((one) => one.id === error.step);
    const where = step?.name ?? error.step;
    failure.replaceChildren(
      icon("warning"),
      element(
        "div",
        {},
        where ? element("strong", {}, `${where} failed. `) : null,
        element("span", { class: "message" }, error.message),
        error.detail
          ? element("details", {}, element("summary", {}, "Details"), element("pre", {}, error.detail))
          : null,
      ),
    );
  }

  function update(): void {
    const { build } = feed;
    view.classList.toggle("absent", !build);
    // A build in the queue has nothing to show yet: a large blank would only hold up space.
    view.classList.toggle("waiting", !build?.steps.length && !feed.log.count);
    updateNotice();
    updateFailure();
    header.update();
    steps.update();
    results.update();
    if (!build) return;
    view.setAttribute("aria-label", `Build of ${build.design.name}`);
    view.dataset.state = build.state;
    // Opening a notebook of finished builds is no event.
    witnessed ||= isAlive(build.state);
    if (witnessed) announcer.say(announcement(build));
  }

  const updateSoon = oncePerFrame(update, signal);
  const hear = (part: FeedPart) => {
    if (part === "log") log.update();
    if (part !== "log" || view.classList.contains("waiting")) updateSoon();
  };
  feed.listen(hear, signal);
  const ticker = setInterval(() => {
    if (!feed.build || !isAlive(feed.build.state) || document.hidden) return;
    if (feed.connection.state === "closed") return;
    header.tick();
    steps.tick();
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(ticker), { once: true });
  update();
  log.update();
  return view;
}
