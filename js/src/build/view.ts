import { element, oncePerFrame, setText } from "../dom";
import { icon } from "../icons";
import { createLogPanel } from "../log/panel";
import { readReference } from "../log/reference";
import { isAlive, type Step } from "../transport";
import { createActions } from "./actions";
import { saveLink } from "./download";
import { createEndNotice } from "./ending";
import type { BuildFeed, FeedPart } from "./feed";
import { createHeader } from "./header";
import { createResults, type Explore } from "./results";
import { logSections, sectionOf } from "./sections";
import { createStepList } from "./steps";
import { createTimeline } from "./timeline";
import { announcement } from "./words";

const ANNOUNCE_EVERY = 1500; // ms: quick steps are not all read out
/** Bytes of log before the tail that are fetched without being asked for, so that lines have their numbers. */
const EAGER_LOG = 2 * 1024 * 1024;

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
 * One build, live, as an element; nothing of it stays once `signal` aborts. `follow` shows another build in its place,
 * such as its second attempt. Its parts are groups and no landmarks:
 * a notebook holds many builds.
 */
export function createBuildView(
  feed: BuildFeed,
  explore: Explore,
  follow: (buildId: string) => void,
  signal: AbortSignal,
): HTMLElement {
  const notice = element("p", { class: "notice", hidden: true });
  const failure = element("div", { class: "failure", role: "group", "aria-label": "Error", hidden: true });
  const ending = createEndNotice(() => header.element.scrollIntoView({ block: "start" }), signal);
  const header = createHeader(feed, createActions(feed, follow, signal), ending.ask);
  const results = createResults(feed, explore, signal);
  const log = createLogPanel(feed, feed.transport.logUrl(feed.buildId), signal);
  const showStep = (step: Step) => {
    if (step.offset !== null) void log.showOffset(step.offset);
  };
  const showError = (step: Step) => {
    const section = sectionOf(feed.build, step.id);
    if (section) void log.showError(section.range);
  };
  const steps = createStepList(feed, { showStep, showError }, signal);
  const timeline = createTimeline(feed, showStep, signal);
  const work = element("div", { class: "work" }, steps.element, log.element);
  const announcer = createAnnouncer(signal);
  const files = element("p", { class: "notice", role: "status", hidden: true });
  let witnessed = false;
  let inView = false;
  let wantsHead = true;
  const view = element(
    "article",
    { class: "build", "aria-label": "Build" },
    header.element,
    notice,
    files,
    failure,
    results.element,
    timeline.element,
    work,
    ending.element,
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

  /** Shows the line that the page's address names, once, when there is a log. */
  function followReference(): void {
    const reference = readReference(location.hash, feed.buildId);
    if (reference) void log.showReference(reference);
  }

  /** Out of sight nobody counts lines, so nothing is fetched for that. */
  function fetchHead(): void {
    if (!wantsHead || !inView || !feed.log.count) return;
    wantsHead = false;
    const { startOffset } = feed.log;
    if (startOffset > 0 && startOffset <= EAGER_LOG) feed.loadEarlier(0).catch(() => {});
    followReference();
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
        step && step.offset !== null && element("div", {}, showInLog(step)),
      ),
    );
  }

  function showInLog(step: Step): HTMLElement {
    const button = element("button", { type: "button", class: "quiet" }, icon("down"), "Show in the log");
    button.addEventListener("click", () => showError(step));
    return button;
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
    timeline.update();
    results.update();
    log.updateSections(logSections(build));
    if (!build) return;
    view.setAttribute("aria-label", `Build of ${build.design.name}`);
    view.dataset.state = build.state;
    // Opening a notebook of finished builds is no event.
    ending.update(build);
    witnessed ||= isAlive(build.state);
    if (witnessed) announcer.say(announcement(build));
  }

  const updateSoon = oncePerFrame(update, signal);
  const hear = (part: FeedPart) => {
    if (part === "log") {
      log.update();
      fetchHead();
    }
    if (part !== "log" || view.classList.contains("waiting")) updateSoon();
  };
  feed.listen(hear, signal);
  // Addresses that the browser cannot follow itself.
  view.addEventListener(
    "click",
    (event) => {
      const link = (event.target as Element).closest<HTMLAnchorElement>("a[href^='relay:']");
      if (!link) return;
      event.preventDefault();
      void saveLink(link, feed.transport, (sentence) => {
        files.hidden = !sentence;
        setText(files, sentence);
      });
    },
    { signal },
  );
  const ticker = setInterval(() => {
    if (!feed.build || !isAlive(feed.build.state) || document.hidden) return;
    if (feed.connection.state === "closed") return;
    header.tick();
    if (!inView) return;
    steps.tick();
    timeline.tick();
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(ticker), { once: true });
  const watcher = new IntersectionObserver((entries) => {
    inView = entries.at(-1)?.isIntersecting ?? false;
    if (inView) updateSoon();
    fetchHead();
  });
  watcher.observe(view);
  signal.addEventListener("abort", () => watcher.disconnect(), { once: true });
  window.addEventListener("hashchange", followReference, { signal });
  update();
  log.update();
  return view;
}
