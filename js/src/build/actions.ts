import { element, setText } from "../dom";
import { type Build, isAlive } from "../transport";
import type { BuildFeed } from "./feed";

export interface Actions {
  readonly buttons: readonly HTMLElement[];
  readonly problem: HTMLElement;
  update(build: Build): void;
}

interface Action {
  readonly word: string;
  readonly doing: string;
  readonly title: string;
  readonly className: string;
  offered(build: Build): boolean;
  run(): Promise<void>;
}

/** What one can do with a build. `follow` shows another build in this one's place. */
export function createActions(
  feed: BuildFeed,
  follow: (buildId: string) => void,
  signal: AbortSignal,
): Actions {
  const { transport, buildId } = feed;
  const problem = element("p", { class: "problem", role: "alert", hidden: true });
  let shown: Build | null = null;
  let busy: Action | null = null;

  const actions: readonly Action[] = [
    {
      word: "Cancel",
      doing: "Cancelling…",
      title: "Stop this build and all the tools it runs",
      className: "cancel",
      offered: (build) => isAlive(build.state),
      run: () => transport.cancel(buildId),
    },
    {
      word: "Resume",
      doing: "Resuming…",
      title: "Go on at the step where this build ended",
      className: "resume",
      // Before its first step there is nothing to go on from.
      offered: ({ state, completed_steps }) =>
        !isAlive(state) && state !== "succeeded" && completed_steps.length > 0,
      run: async () => follow(await transport.resume(buildId)),
    },
    {
      word: "Build again",
      doing: "Starting…",
      title: "Start a new build with the same configuration and the files as they are now",
      className: "retry",
      offered: (build) => !isAlive(build.state),
      run: async () => follow(await transport.retry(buildId)),
    },
  ];

  async function start(action: Action): Promise<void> {
    if (busy) return;
    busy = action;
    problem.hidden = true;
    draw();
    try {
      await action.run();
      // A cancel takes its time; until it shows there is nothing more to ask for.
      if (action.className !== "cancel") busy = null;
    } catch (reason) {
      busy = null;
      if (signal.aborted) return;
      const sentence = reason instanceof Error ? reason.message : String(reason);
      problem.textContent = `Could not ${action.word.toLowerCase()}. ${sentence}`;
      problem.hidden = false;
    }
    draw();
  }

  const buttons = actions.map((action) => {
    const button = element(
      "button",
      { type: "button", class: `plain ${action.className}`, title: action.title, hidden: true },
      action.word,
    );
    button.addEventListener("click", () => void start(action), { signal });
    return button;
  });

  function draw(): void {
    for (const [index, action] of actions.entries()) {
      const button = buttons[index] as HTMLButtonElement;
      button.hidden = !shown || !action.offered(shown) || deleted();
      button.disabled = busy !== null;
      setText(button, busy === action ? action.doing : action.word);
    }
  }

  /** The stream of a build closes with a sentence only when there is nothing more to be had from the server. */
  const deleted = () => feed.connection.state === "closed" && feed.connection.sentence !== null;

  return {
    buttons,
    problem,
    update(build) {
      if (shown && isAlive(shown.state) && !isAlive(build.state)) {
        busy = null;
        problem.hidden = true;
      }
      shown = build;
      draw();
    },
  };
}
