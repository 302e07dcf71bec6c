import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Build } from "../transport";
import { until } from "../until";
import { type LayoutPlace, renderBuild } from ".";
import { BuildFeeds } from "./feeds";
import { SampleTransport, sampleBuild, sampleStep } from "./sample";

const NOW = "2026-11-23T12:01:05.000Z";

let end: AbortController;
let transport: SampleTransport;
let feeds: BuildFeeds;
let el: HTMLElement;
let buildId: string;
let changed: (() => void)[];
let layouts: LayoutPlace[];

function show(signal = end.signal): HTMLElement {
  const place = document.body.appendChild(document.createElement("div"));
  const model = {
    get: (name: string) => (name === "build_id" ? buildId : undefined),
    on: (_event: string, callback: () => void) => changed.push(callback),
    off: (_event: string, callback: () => void) => {
      changed = changed.filter((one) => one !== callback);
    },
  };
  const context = { el: place, model, base: "http://x/", token: "", signal };
  renderBuild(context, (layout) => layouts.push(layout), feeds);
  return place;
}

const root = (place = el) => place.firstElementChild?.shadowRoot as ShadowRoot;
const find = <Kind extends HTMLElement>(selector: string) => root().querySelector<Kind>(selector) as Kind;
const textOf = (selector: string) => find(selector).innerText.replace(/\s+/g, " ").trim();
const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

async function openAll(): Promise<void> {
  for (let before = -1, now = 0; before !== now; now = root().querySelectorAll("details").length) {
    before = now;
    for (const details of root().querySelectorAll("details")) details.open = true;
    await frames();
  }
}

async function status(more: Partial<Build> = {}): Promise<void> {
  transport.sinks.get("b1")?.onConnection({ state: "live", sentence: null });
  transport.say({ type: "status", data: sampleBuild(more), timestamp: NOW, seq: 1 });
  await frames();
}

beforeEach(() => {
  end = new AbortController();
  transport = new SampleTransport();
  feeds = new BuildFeeds(transport);
  buildId = "b1";
  changed = [];
  layouts = [];
  el = show();
});

afterEach(() => {
  end.abort();
  document.body.replaceChildren();
  vi.useRealTimers();
});

test("before anything has come it says that it is connecting", () => {
  expect(textOf(".build")).toBe("Connecting to the build…");
});

test("queued: its place and why", async () => {
  await status({
    state: "queued",
    steps: [],
    queue_position: 2,
    queue_reason: "2 builds are running, as many as may run at once.",
  });
  expect(textOf(".state")).toBe("Queued");
  expect(textOf(".reason")).toBe("Number 2 in the queue. 2 builds are running, as many as may run at once.");
  expect(find(".work").checkVisibility()).toBe(false);
  expect(find(".cancel").checkVisibility()).toBe(true);
});

describe("running", () => {
  beforeEach(() => status());

  test("what is built, with what, and how far it is", () => {
    expect(textOf(".design")).toBe("counter");
    expect(textOf(".facts")).toContain("sky130A functional, estimated delays");
    expect(find(".facts li:last-child").title).toBe("Toolchain: It runs Express.");
    expect(textOf(".state")).toBe("Running");
    expect(textOf(".connection")).toBe("Live");
    expect(textOf(".elapsed")).toBe("1:05");
    expect(textOf(".count")).toBe("1 of 3 steps");
    const bar = find("[role=progressbar]");
    expect([bar.ariaLabel, bar.ariaValueNow, bar.ariaValueMin, bar.ariaValueMax]).toEqual([
      "Build progress",
      "40",
      "0",
      "100",
    ]);
  });

  test("steps in order, each with its state in words", () => {
    const items = [...root().querySelectorAll<HTMLElement>(".steps-list li")];
    expect(items.map((item) => item.textContent)).toEqual([
      "doneLint0.4 s",
      "runningSynthesis55 s",
      "skippedEQY",
      "pendingPlace",
    ]);
    expect(items[1]?.ariaCurrent).toBe("step");
    expect(items[1]?.querySelector(".step")?.getAttribute("title")).toBe("Yosys.Synthesis");
  });

  test("a step that changes is changed in its place, and told to those who cannot see it", async () => {
    const list = find(".steps-list");
    const before = [...list.children];
    transport.say({ type: "step", data: sampleStep("Yosys.Synthesis", "done", { seconds: 61 }), seq: 2 });
    transport.say({ type: "step", data: sampleStep("Express.Place", "running"), seq: 3 });
    transport.say({
      type: "progress",
      data: { progress: 66.6, current_step: "Express.Place", completed_steps: [] },
      seq: 4,
    });
    await frames();
    expect(list.children[1]?.textContent).toBe("doneSynthesis1:01");
    expect(list.children[0]).toBe(before[0]);
    expect(list.children).toHaveLength(4);
    expect(textOf(".percent")).toBe("67 %");
    await until(() => expect(find("[aria-live]").textContent).toBe("Step 4 of 4: Place"));
  });

  test("log lines appear", async () => {
    transport.sinks.get("b1")?.onLog({ offset: 0, end: 20, text: "\x1b[32mhello\x1b[0m <b>\r\n" });
    await frames();
    expect(textOf(".log-canvas")).toBe("hello <b>");
  });

  test("the connection is told in words", async () => {
    const sentence = "The Jupyter server does not answer; trying again.";
    transport.sinks.get("b1")?.onConnection({ state: "reconnecting", sentence });
    await frames();
    expect(textOf(".connection")).toBe("Reconnecting");
    expect(textOf(".notice")).toBe(sentence);
    await status();
    expect(find(".notice").hidden).toBe(true);
  });

  test("one click cancels, once", async () => {
    find(".cancel").click();
    find(".cancel").click();
    expect(textOf(".cancel")).toBe("Cancelling…");
    expect(transport.cancelled).toEqual(["b1"]);
    await status({ state: "cancelled", finished: NOW });
    expect(textOf(".state")).toBe("Cancelled");
    expect(find(".cancel").checkVisibility()).toBe(false);
    expect(textOf(".count")).toBe("1 step done");
  });

  test("a cancel that is refused says why and may be tried again", async () => {
    transport.answerCancel = async () => {
      throw new Error("The Jupyter server does not answer.");
    };
    find(".cancel").click();
    await frames();
    expect(textOf(".problem")).toBe("Could not cancel. The Jupyter server does not answer.");
    find(".cancel").click();
    expect(transport.cancelled).toHaveLength(2);
  });
});

test("failed: the step and the message stand out", async () => {
  const steps = [
    sampleStep("Verilator.Lint", "failed", { seconds: 1 }),
    sampleStep("Yosys.Synthesis", "skipped"),
  ];
  const error = { message: "<b> is no Verilog.", step: "Verilator.Lint", detail: "counter.v:3" };
  transport.files = [{ path: "01-lint/lint.rpt", size: 10, modified: NOW }];
  await status({ state: "failed", finished: NOW, steps, error });
  await frames();
  expect(textOf(".state")).toBe("Failed");
  expect(textOf(".failure")).toBe("Lint failed. <b> is no Verilog. Details");
  expect(textOf(".steps-list [data-state=failed] .name")).toBe("Lint");
  expect(textOf(".drawer.files summary")).toBe("All files (1, 10 B)");
  expect(find(".percent").textContent).toBe("");
});

describe("succeeded", () => {
  beforeEach(async () => {
    transport.files = [
      { path: "runs/b1/final/def/counter.def", size: 2048, modified: NOW },
      { path: "runs/b1/final/gds/counter.gds", size: 1_500_000, modified: NOW },
      { path: "runs/b1/final/klayout_gds/counter.klayout.gds", size: 1_500_000, modified: NOW },
      { path: "runs/b1/06-synthesis/out.v", size: 5, modified: NOW },
      { path: "resolved.json", size: 9, modified: NOW },
    ];
    const metrics = {
      design__instance__count: 25,
      design__die__area: 1234.5,
      design__instance__utilization: 0.4567,
      route__wirelength: 12345,
      route__vias: 100,
      klayout__drc_error__count: 0,
      design__lvs_error__count: 1,
    };
    await status({
      state: "succeeded",
      finished: NOW,
      progress: 100,
      metrics,
      has_picture: true,
      has_layout: true,
      command: {
        argv: ["/opt/python", "-m", "librelane", "--design-dir", "/home/ada/my counter"],
        directory: "/home/ada/my counter",
        environment: { A: "1" },
        shell: "(\nexport A=1\n)",
      },
    });
    await frames();
  });

  test("how it was made is there to be copied: the command, the configuration as given and as resolved", async () => {
    const copied: string[] = [];
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => void copied.push(text));
    await openAll();
    await until(() => expect(textOf(".drawer.settings")).toContain("The text of resolved.json"));
    for (const button of root().querySelectorAll<HTMLButtonElement>(".copyable button")) button.click();
    await until(() => expect(copied).toHaveLength(5));
    expect(copied.slice(1)).toEqual([
      "/opt/python -m librelane --design-dir '/home/ada/my counter'",
      "(\nexport A=1\n)",
      '{\n  "CLOCK_PERIOD": 10\n}',
      "The text of resolved.json",
    ]);
  });

  test("key figures, with a verdict in words for the checks", () => {
    const figures = [...root().querySelectorAll<HTMLElement>(".figures > div")];
    expect(figures.map((one) => one.innerText.replace(/\s+/g, " ").trim())).toEqual([
      "Cells 25",
      "Die area 1 235 µm²",
      "Core utilisation 45.7 %",
      "Wire length 12 345 µm",
      "Vias 100",
      "DRC 0 errors pass",
      "LVS 1 error fail",
    ]);
  });

  test("files to take home come first, the others on request", async () => {
    const links = () => [...root().querySelectorAll<HTMLAnchorElement>(".artifacts a")];
    expect(links().map((link) => link.innerText.replace(/\s+/g, " "))).toEqual([
      "GDS counter.gds 1.5 MB",
      "DEF counter.def 2.0 kB",
    ]);
    expect(links()[0]?.getAttribute("href")).toBe("/builds/b1/artifacts/runs/b1/final/gds/counter.gds");
    await openAll();
    expect(links().map((link) => link.innerText.replace(/\s+/g, " "))).toEqual([
      "GDS counter.gds 1.5 MB",
      "DEF counter.def 2.0 kB",
      "All as zip",
      "counter.def 2.0 kB",
      "counter.gds 1.5 MB",
      "counter.klayout.gds 1.5 MB",
      "out.v 5 B",
      "resolved.json 9 B",
    ]);
  });

  test("a text is read in place, as text, and Escape gives the focus back", async () => {
    const button = find(".artifacts .show-file");
    button.focus();
    button.click();
    await until(() => expect(textOf(".file-view pre")).toBe("The text of runs/b1/final/def/counter.def"));
    expect(textOf(".file-view h3")).toBe("runs/b1/final/def/counter.def");
    find(".file-view pre").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(find(".file-view").checkVisibility()).toBe(false);
    expect(root().activeElement).toBe(button);
  });

  test("all metrics are found by parts of their names", async () => {
    await openAll();
    const input = find<HTMLInputElement>(".metric-find input");
    input.value = "route wire";
    input.dispatchEvent(new Event("input"));
    const rows = [...root().querySelectorAll<HTMLElement>(".metrics tr")].filter((row) =>
      row.checkVisibility(),
    );
    expect(rows.map((row) => row.innerText.replace(/\s+/g, " "))).toEqual(["route__wirelength 12 345µm"]);
    expect(textOf(".metric-count")).toBe("1 of 7");
  });

  test("the configuration is there to be copied", async () => {
    await openAll();
    expect(textOf(".drawer.settings")).toContain('a6hub.build("b1")');
    expect(textOf(".drawer.settings")).toContain('"CLOCK_PERIOD": 10');
  });

  test("the picture is there, and the layout opens and closes", async () => {
    await until(() => expect(find<HTMLImageElement>(".picture img").alt).toBe("Layout of counter"));
    const button = find<HTMLButtonElement>(".show button");
    expect(button.ariaExpanded).toBe("false");
    button.click();
    expect(button.ariaExpanded).toBe("true");
    expect(layouts).toHaveLength(1);
    expect(layouts[0]?.el.offsetHeight).toBe(480);
    expect(layouts[0]?.source).toEqual({ build: "b1" });
    button.click();
    expect(layouts[0]?.signal.aborted).toBe(true);
    expect(find(".layout-panel").checkVisibility()).toBe(false);
  });
});

test("a build that is not there is one sentence", async () => {
  const sentence = "The server knows no build with this id.";
  transport.sinks.get("b1")?.onConnection({ state: "closed", sentence });
  await frames();
  expect(textOf(".build")).toBe(sentence);
});

test("a build that is deleted while it is shown keeps what is known, and offers nothing more", async () => {
  await status();
  transport.sinks
    .get("b1")
    ?.onConnection({ state: "closed", sentence: "This build was deleted from the server." });
  await frames();
  expect(textOf(".notice")).toBe("This build was deleted from the server.");
  expect(textOf(".design")).toBe("counter");
  expect(find(".cancel").checkVisibility()).toBe(false);
});

test("a widget without a build says so, and shows the build that it is given", async () => {
  buildId = "";
  for (const callback of changed) callback();
  expect(textOf(".build")).toBe("There is no build to show yet.");
  buildId = "b2";
  for (const callback of changed) callback();
  transport.say({ type: "status", data: sampleBuild({ id: "b2", state: "starting" }) }, "b2");
  await frames();
  expect(textOf(".state")).toBe("Starting");
});

test("views of one build share its connection, and the last to go ends it", async () => {
  await status();
  const second = new AbortController();
  const other = show(second.signal);
  expect(transport.signals).toHaveLength(1);
  expect(root(other).querySelector(".state")?.textContent).toBe("Running");
  second.abort();
  expect(transport.signals[0]?.aborted).toBe(false);
  expect(other.childElementCount).toBe(0);
  end.abort();
  expect(transport.signals[0]?.aborted).toBe(true);
  expect(changed).toEqual([]);
});
