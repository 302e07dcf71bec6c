import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Build, Step } from "../transport";
import { until } from "../until";
import { renderBuild } from ".";
import { BuildFeeds } from "./feeds";
import { SampleTransport, sampleBuild, sampleStep } from "./sample";

const NOW = "2026-11-23T12:01:05.000Z";

let end: AbortController;
let transport: SampleTransport;
let el: HTMLElement;

const root = () => el.firstElementChild?.shadowRoot as ShadowRoot;
const find = <Kind extends HTMLElement>(selector: string) => root().querySelector<Kind>(selector) as Kind;
const all = (selector: string) => [...root().querySelectorAll<HTMLElement>(selector)];
const textOf = (selector: string) => find(selector).innerText.replace(/\s+/g, " ").trim();
const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

const PLAN =
  "Verilator.Lint Checker.LintErrors Yosys.Synthesis Checker.YosysSynthChecks OpenROAD.Floorplan OpenROAD.GeneratePDN " +
  "OpenROAD.GlobalPlacement OpenROAD.DetailedPlacement OpenROAD.CTS OpenROAD.GlobalRouting OpenROAD.DetailedRouting " +
  "Checker.TrDRC Magic.StreamOut Magic.DRC Netgen.LVS Misc.ReportManufacturability";

/** Steps of a large flow of which `done` are behind and the next is in `state`. */
function flow(done: number, state: Step["state"] = "running"): Step[] {
  return PLAN.split(" ").map((id, at) => {
    if (at < done) return sampleStep(id, "done", { seconds: at + 1, offset: at * 100 });
    if (at > done) return sampleStep(id, state === "failed" ? "skipped" : "pending");
    return sampleStep(id, state, { started: NOW, seconds: state === "failed" ? 3 : null, offset: at * 100 });
  });
}

async function status(more: Partial<Build>, id = "b1"): Promise<void> {
  transport.sinks.get(id)?.onConnection({ state: "live", sentence: null });
  transport.say({ type: "status", data: sampleBuild({ id, ...more }), timestamp: NOW, seq: 1 }, id);
  await frames();
}

function say(text: string, offset = 0): void {
  const end = offset + new TextEncoder().encode(text).length;
  transport.sinks.get("b1")?.onLog({ offset, end, text });
}

async function openAll(): Promise<void> {
  for (const details of root().querySelectorAll("details")) details.open = true;
  await frames();
}

beforeEach(() => {
  end = new AbortController();
  transport = new SampleTransport();
  el = document.body.appendChild(document.createElement("div"));
  const model = { get: () => "b1", on: () => {}, off: () => {} };
  const context = { el, model, base: "http://x/", token: "", signal: end.signal };
  renderBuild(context, () => {}, new BuildFeeds(transport));
});

afterEach(() => {
  end.abort();
  document.body.replaceChildren();
  document.body.removeAttribute("style");
  vi.restoreAllMocks();
});

/** Each phase: open or shut, what it says, and, where it is behind, its time; one that runs has another each second. */
const phases = () =>
  all(".group").map((group) => {
    const head = group.querySelector(".phase");
    const said = head?.textContent ?? "";
    const time = group.dataset.state === "running" ? (head?.querySelector(".time")?.textContent ?? "") : "";
    return `${head?.ariaExpanded === "true" ? "open" : "shut"} ${said.slice(0, said.length - time.length)}`;
  });

describe("a large flow", () => {
  test("stands in phases; the running one is open, those behind close", async () => {
    await status({ steps: flow(2) });
    expect(phases().slice(0, 3)).toEqual([
      "shut doneInitialization2/23.0 s",
      "open runningSynthesis0/2",
      "shut pendingFloorplan0/2",
    ]);
    await status({ steps: flow(4) });
    expect(phases().slice(0, 3)).toEqual([
      "shut doneInitialization2/23.0 s",
      "shut doneSynthesis2/27.0 s",
      "open runningFloorplan0/2",
    ]);
    expect(find(".checker .name").textContent).toBe("LintErrors");
  });

  test("a phase stays as the reader wants it", async () => {
    await status({ steps: flow(2) });
    all(".phase")[0]?.click();
    all(".phase")[1]?.click();
    await status({ steps: flow(3) });
    expect(phases().map((one) => one.slice(0, 4))).toEqual(["open", "shut", ...Array(8).fill("shut")]);
  });

  test("the step that failed is open with what went wrong, and leads to its error in the log", async () => {
    say(
      `${"x".repeat(1299)}\n`.repeat(1) + "[01:02:03] INFO  fine\n%Error: net n42\nmore\n".padEnd(400, "\n"),
    );
    const steps = flow(10, "failed").map((step) =>
      step.id === "OpenROAD.DetailedRouting" ? { ...step, offset: 1300 } : step,
    );
    const error = { message: "2 nets have no way.", step: "OpenROAD.DetailedRouting" };
    await status({ state: "failed", finished: NOW, steps, error });
    expect(phases().filter((one) => one.startsWith("open"))).toHaveLength(1);
    expect(textOf(".step-problem p")).toBe("2 nets have no way.");
    find(".step-problem button").click();
    await frames();
    await frames();
    expect(find(".row.selected").textContent).toBe("%Error: net n42");
  });

  test.each([
    ["cancelled", null, "stopped"],
    ["lost", null, "stopped"],
    ["timed_out", { message: "It took too long.", step: "Magic.DRC" }, "stopped"],
    ["timed_out", { message: "It took too long.", step: "OpenROAD.DetailedRouting" }, "failed"],
  ] as const)(
    "a build that was stopped (%s) stopped its step, which has not failed",
    async (state, error, word) => {
      await status({ state, finished: NOW, steps: flow(10, "failed"), error });
      expect(phases().filter((one) => one.startsWith("open"))).toHaveLength(1);
      expect(find("[data-id='OpenROAD.DetailedRouting']").dataset.state).toBe(word);
      expect(find("[data-id='OpenROAD.DetailedRouting']").textContent).toContain(word);
    },
  );

  test("the time strip tells each piece, and is one stop for the keyboard", async () => {
    await status({ steps: flow(16) });
    const pieces = all(".strip button");
    expect(pieces[0]?.ariaLabel).toBe("Lint, 1.0 s (1 %)");
    expect(textOf(".strip-said")).toContain("Longest: ReportManufacturability");
    expect(pieces.filter((piece) => piece.tabIndex === 0)).toHaveLength(1);
    pieces[0]?.focus();
    pieces[0]?.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
    expect(root().activeElement).toBe(pieces.at(-1));
    expect(textOf(".strip-said")).toContain("ReportManufacturability, 16 s");
  });
});

describe("what can be done", () => {
  test("a build that failed goes on, or is built again, in its place", async () => {
    await status({ state: "failed", finished: NOW });
    expect(all("header button:not([hidden])").map((button) => button.textContent)).toEqual([
      "Resume",
      "Build again",
    ]);
    find(".retry").click();
    await until(() => expect(transport.sinks.has("b2")).toBe(true));
    expect(transport.signals[0]?.aborted).toBe(true);
    await status({ state: "queued", steps: [] }, "b2");
    expect(textOf(".state")).toBe("Queued");
  });

  test("a server that cannot do it says so in a sentence", async () => {
    transport.retry = async () => {
      throw new Error("The server answered 404 Not Found.");
    };
    await status({ state: "succeeded", finished: NOW });
    expect(find(".resume").hidden).toBe(true);
    find(".retry").click();
    await frames();
    expect(textOf(".problem")).toBe("Could not build again. The server answered 404 Not Found.");
  });

  test("an expectation is told as one, and not when there is none", async () => {
    await status({ eta_seconds: 150, eta_basis: "3 earlier builds" });
    expect(textOf(".remaining")).toMatch(/^about [23] min left$/);
    expect(find(".remaining").title).toBe("As 3 earlier builds took");
    expect(textOf(".basis")).toBe("from 3 earlier builds");
    await status({ eta_seconds: null });
    expect(find(".remaining").textContent).toBe("");
  });

  test("an expectation counts down from when it was made, is renewed by progress, and may be overdue", async () => {
    const left = () => find(".remaining").textContent;
    const progress = async (eta: number | null, timestamp: string) => {
      const data = { progress: 50, current_step: null, completed_steps: [], eta_seconds: eta };
      transport.say({ type: "progress", data, timestamp, seq: 2 });
      await status({}); // what draws; it has no expectation of its own
      transport.say({ type: "progress", data, timestamp, seq: 3 });
      await frames();
    };
    await progress(40, NOW);
    expect(left()).toBe("about 40 s left");
    await until(() => expect(left()).toBe("about 35 s left"));
    await progress(40, "2026-11-23T12:00:45.000Z");
    expect(left()).toMatch(/^about (15|20) s left$/);
    await progress(10, "2026-11-23T12:00:45.000Z");
    expect(left()).toBe("taking longer than expected");
  }, 15_000);
});

describe("the end", () => {
  test("is told in the widget, once, and only if it was seen coming", async () => {
    await status({ state: "running" });
    expect(find(".toast").hidden).toBe(true);
    await status({ state: "succeeded", finished: NOW });
    expect(find(".toast").innerText).toContain("counter: succeeded after 1:05");
    all(".toast button").at(-1)?.click();
    await status({ state: "succeeded", finished: NOW });
    expect(find(".toast").hidden).toBe(true);
  });

  test("of an old build is no news", async () => {
    await status({ state: "succeeded", finished: NOW });
    expect(find(".toast").hidden).toBe(true);
  });

  test.each([
    ["granted", true, 1],
    ["granted", false, 0],
    ["denied", true, 0],
  ])("a notification: permission %s, page hidden %s", async (permission, hidden, count) => {
    const told = vi.fn();
    class Fake {
      static permission = permission;
      constructor(title: string) {
        told(title);
      }
    }
    vi.stubGlobal("Notification", Fake);
    await status({ state: "running" });
    vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
    await status({ state: "succeeded", finished: NOW });
    await until(() => expect(find(".toast").hidden).toBe(false));
    expect(told).toHaveBeenCalledTimes(count);
    vi.unstubAllGlobals();
  });
});

test("an older server that leaves fields out, and a newer one with states we do not know, are still shown", async () => {
  const { config, pdk_note, queue_reason, has_layout, ...older } = sampleBuild();
  const steps = [
    sampleStep("Yosys.Synthesis", "paused" as Step["state"]),
    { id: "A.B", state: "done" } as Step,
  ];
  transport.say({ type: "status", data: { ...older, steps } as unknown as Build, seq: 1 });
  await frames();
  expect(textOf(".design")).toBe("counter");
  expect(all(".steps-list li").map((item) => item.textContent)).toEqual(["pausedSynthesis", "doneA.B"]);
  transport.say({ type: "status", data: { ...older, state: "archived" } as unknown as Build, seq: 2 });
  await frames();
  expect(textOf(".state")).toBe("archived");
});

test("a status without the parts that make a build is one sentence, and no blank", async () => {
  transport.say({ type: "status", data: { id: "b1" } as unknown as Build, seq: 1 });
  await frames();
  expect(textOf(".build")).toContain("does not understand");
});

test("the beginning of the log that could not be fetched is fetched when the connection is back", async () => {
  const read = vi.spyOn(transport, "readLog").mockRejectedValueOnce(new Error("no network"));
  await status({});
  say("cut\r\ntail\r\n", 6);
  await until(() => expect(read).toHaveBeenCalledTimes(1));
  await frames();
  read.mockResolvedValueOnce(new TextEncoder().encode("head\r\ncut\r\n"));
  transport.sinks.get("b1")?.onConnection({ state: "live", sentence: null });
  await until(() => expect(textOf(".log-size")).toBe("3 lines"));
  expect(read).toHaveBeenCalledTimes(2);
});

describe("the log's tools", () => {
  beforeEach(async () => {
    await status({ steps: flow(2) });
    say("WARNING one\nnothing\nERROR two\n".padEnd(200, "."), 0);
    say("three\nERROR four\n", 200);
    await frames();
  });

  const rows = () => all(".row").map((row) => row.textContent);

  async function choose(label: string, value: string): Promise<void> {
    const select = find<HTMLSelectElement>(`select[aria-label="${label}"]`);
    select.value = value;
    select.dispatchEvent(new Event("change"));
    await frames();
  }

  test("filters by level and by step, and says how many are left", async () => {
    await choose("Which lines", "error");
    expect(rows()).toEqual(["ERROR two", "ERROR four"]);
    expect(textOf(".log-size")).toMatch(/^2 of 5 lines$/);
    await choose("Which step", "Yosys.Synthesis");
    expect(rows()).toEqual(["ERROR four"]);
  });

  test("copies what is shown, and a reference to the line", async () => {
    const written = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    await choose("Which lines", "error");
    find("[aria-label^='Copy the selected']").click();
    await until(() => expect(written).toHaveBeenLastCalledWith("ERROR two\nERROR four\n"));
    await choose("Which lines", "all");
    const row = all(".row")[2] as HTMLElement;
    const { left, top } = row.getBoundingClientRect();
    row.dispatchEvent(new MouseEvent("click", { clientX: left + 4, clientY: top + 4, bubbles: true }));
    find("[aria-label^='Copy a reference']").click();
    await until(() => expect(written).toHaveBeenLastCalledWith("#a6hub-b1-L3"));
    await until(() => expect(textOf(".log-said")).toBe("Copied #a6hub-b1-L3"));
  });

  test("a reference in the page's address leads to its line", async () => {
    history.replaceState(null, "", "#a6hub-b1-L5");
    window.dispatchEvent(new Event("hashchange"));
    await until(() => expect(find(".row.selected").textContent).toBe("ERROR four"));
    history.replaceState(null, "", location.pathname + location.search);
  });
});

describe("no serious finding of axe", () => {
  async function findings(): Promise<string[]> {
    const { violations } = await axe.run(el, { resultTypes: ["violations"] });
    return violations
      .filter((one) => one.impact === "serious" || one.impact === "critical")
      .map(
        (one) => `${one.id}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`,
      );
  }

  const dark: Record<string, string> = {
    "--jp-layout-color0": "#111111",
    "--jp-layout-color1": "#212121",
    "--jp-layout-color2": "#424242",
    "--jp-ui-font-color1": "#ffffff",
    "--jp-ui-font-color2": "rgba(255, 255, 255, 0.7)",
    "--jp-border-color2": "#616161",
    "--jp-brand-color1": "#2196f3",
    "--jp-success-color1": "#4caf50",
    "--jp-error-color1": "#f44336",
    "--jp-warn-color1": "#ff9800",
  };
  const light: Record<string, string> = {
    "--jp-layout-color0": "white",
    "--jp-layout-color1": "white",
    "--jp-layout-color2": "#eeeeee",
    "--jp-ui-font-color1": "rgba(0, 0, 0, 0.87)",
    "--jp-ui-font-color2": "rgba(0, 0, 0, 0.54)",
    "--jp-border-color2": "#e0e0e0",
    "--jp-brand-color1": "#1976d2",
    "--jp-success-color1": "#388e3c",
    "--jp-error-color1": "#d32f2f",
    "--jp-warn-color1": "#f57c00",
  };

  describe.each([
    ["alone", {}],
    ["in Lab's light theme", light],
    ["in Lab's dark theme", dark],
  ])("%s", (_name, theme) => {
    beforeEach(() => {
      for (const [name, value] of Object.entries(theme)) document.body.style.setProperty(name, value);
      const ground = theme["--jp-layout-color1"];
      if (ground) document.body.style.background = ground;
    });

    test("queued", async () => {
      await status({ state: "queued", steps: [], queue_position: 1, queue_reason: "A build is running." });
      expect(await findings()).toEqual([]);
    });

    test("running", async () => {
      say("\x1b[33mWARNING\x1b[0m one\n\x1b[1;31mERROR\x1b[0m two \x1b[36mblue\x1b[0m \x1b[2mdim\x1b[0m\n");
      await status({ steps: flow(3), eta_seconds: 100 });
      expect(await findings()).toEqual([]);
    });

    test("failed", async () => {
      const error = { message: "No way.", step: "OpenROAD.DetailedRouting", detail: "net n42" };
      await status({ state: "failed", finished: NOW, steps: flow(10, "failed"), error });
      await openAll();
      expect(await findings()).toEqual([]);
    });

    test("succeeded, with all open", async () => {
      transport.files = [
        { path: "final/gds/counter.gds", size: 100, modified: NOW },
        { path: "60-lvs/lvs.rpt", size: 100, modified: NOW },
      ];
      await status({ steps: flow(15) });
      const metrics = { design__instance__count: 25, design__lvs_error__count: 1, timing__setup__ws: 1 };
      await status({ state: "succeeded", finished: NOW, steps: flow(16), metrics, has_picture: true });
      await frames();
      await openAll();
      find(".reports button").click();
      await frames();
      expect(await findings()).toEqual([]);
    });
  });
});
