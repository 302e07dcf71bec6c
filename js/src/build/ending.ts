import { element } from "../dom";
import { formatClock } from "../format";
import { icon } from "../icons";
import { type Build, isAlive } from "../transport";
import { elapsedSeconds } from "./header";
import { buildSign } from "./words";

const SHOWN_FOR = 12_000; // ms

export interface EndNotice {
  readonly element: HTMLElement;
  /** Asks the browser's leave to tell of the end while the page is hidden; shown where that can still be asked. */
  readonly ask: HTMLElement;
  update(build: Build): void;
}

/** How a build ended, in a line. */
function endText(build: Build): string {
  const seconds = elapsedSeconds(build, Date.now());
  const after = seconds === null ? "" : ` after ${formatClock(seconds)}`;
  return `${build.design.name}: ${buildSign(build.state).word.toLowerCase()}${after}`;
}

/** Tells when a build ends that was seen alive: in the widget, and in a notification if the page is hidden. */
export function createEndNotice(showResult: () => void, signal: AbortSignal): EndNotice {
  const text = element("span");
  const show = element("button", { type: "button", class: "quiet" }, "Show");
  const close = element(
    "button",
    { type: "button", class: "quiet", "aria-label": "Dismiss", title: "Dismiss" },
    icon("cross"),
  );
  const sign = element("span", { class: "state" });
  const toast = element("div", { class: "toast", hidden: true }, sign, text, show, close);
  const ask = element(
    "button",
    { type: "button", class: "quiet ask", hidden: true, title: "A notification when this build has ended" },
    "Notify me",
  );
  let seen = false;
  let told = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const hide = () => {
    clearTimeout(timer);
    toast.hidden = true;
  };
  signal.addEventListener("abort", hide, { once: true });
  close.addEventListener("click", hide, { signal });
  show.addEventListener("click", () => {
    hide();
    showResult();
  });
  ask.addEventListener("click", async () => {
    await Notification.requestPermission();
    ask.hidden = true;
  });

  function tell(build: Build): void {
    told = true;
    const { state } = build;
    sign.dataset.state = state;
    sign.replaceChildren(icon(buildSign(state).icon));
    text.textContent = endText(build);
    toast.hidden = false;
    timer = setTimeout(hide, SHOWN_FOR);
    if (document.hidden && "Notification" in window && Notification.permission === "granted") {
      const notification = new Notification(endText(build), {
        body: build.error?.message ?? "",
        tag: build.id,
      });
      notification.onclick = () => window.focus();
    }
  }

  return {
    element: toast,
    ask,
    update(build) {
      const alive = isAlive(build.state);
      seen ||= alive;
      ask.hidden = !alive || !("Notification" in window) || Notification.permission !== "default";
      if (!alive && seen && !told) tell(build);
    },
  };
}
