import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { layoutExtension } from "./layout-output";
import type { Lumino, LuminoWidget, NotebookPanel, RendererFactory } from "./shared";

const MODEL = {
  data: {
    "application/vnd.a6hub.layout+json": { build_id: "b1" },
    "application/vnd.jupyter.widget-view+json": { model_id: "w1" },
  },
};

// As much of Lumino as the extension uses.
class Widget implements LuminoWidget {
  readonly node = document.createElement("div");
  isDisposed = false;
  dispose() {
    this.isDisposed = true;
    this.node.remove();
  }
  hide() {
    this.node.hidden = true;
  }
  show() {
    this.node.hidden = false;
  }
}
class Panel extends Widget {
  addWidget(child: LuminoWidget) {
    this.node.append(child.node);
  }
}
const lumino: Lumino = { Widget, Panel };

/** ipywidgets' view: it shows the widget once it is told that it has it. */
class View extends Panel {
  async renderModel() {
    this.node.textContent = "Loading widget...";
  }
  restore() {
    const view = document.createElement("div");
    view.className = "lm-Widget";
    this.node.replaceChildren(view);
  }
}

let answer: (comms: Record<string, unknown>) => void;
let fail: (reason: Error) => void;
let view: View;
let added: { factory: RendererFactory; rank: number };

function notebook(kernel = true): NotebookPanel {
  const asked = new Promise<{ content: Record<string, unknown> }>((resolve, reject) => {
    answer = (comms) => resolve({ content: { status: "ok", comms } });
    fail = reject;
  });
  return {
    content: {
      rendermime: {
        addFactory(factory, rank) {
          added = { factory, rank };
        },
        createRenderer: () => view,
      },
    },
    sessionContext: {
      ready: Promise.resolve(),
      session: { kernel: kernel ? { requestCommInfo: () => asked } : null },
    },
  };
}

function open(panel: NotebookPanel) {
  const tracker = {
    forEach: (each: (one: NotebookPanel) => void) => each(panel),
    widgetAdded: { connect() {} },
  };
  const plugin = layoutExtension(lumino, "tracker") as {
    activate(app: null, notebooks: typeof tracker): void;
  };
  plugin.activate(null, tracker);
  const output = added.factory.createRenderer(null);
  document.body.append(output.node);
  void output.renderModel(MODEL);
  return output;
}

const turn = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const shown = (node: HTMLElement) => [...node.children].filter((one) => !(one as HTMLElement).hidden);

beforeEach(() => {
  vi.useFakeTimers();
  view = new View();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

test("it goes before ipywidgets, for outputs of our type", () => {
  open(notebook());
  expect(added.rank).toBeLessThan(-10);
  expect(added.factory.mimeTypes).toEqual(["application/vnd.a6hub.layout+json"]);
  expect(added.factory.safe).toBe(false);
});

test("where the kernel has the widget, it is the widget alone", async () => {
  const output = open(notebook());
  answer({ w1: {} });
  await turn();
  view.restore();
  await turn(1000);
  expect(shown(output.node)).toEqual([view.node]);
});

test.each([
  ["knows it no more", () => answer({ other: {} })],
  ["goes away", () => fail(new Error("Canceled"))],
])("where the kernel %s, it is shown without", async (_what, happen) => {
  const output = open(notebook());
  happen();
  await turn();
  expect(output.node.children).toHaveLength(1);
  expect(view.node.isConnected).toBe(false);
  await turn(1000);
  expect(output.node.children).toHaveLength(1);
});

test("without a kernel it is shown at once", async () => {
  const output = open(notebook(false));
  await turn();
  expect(output.node.children).toHaveLength(1);
  expect(view.node.isConnected).toBe(false);
});

test("a busy kernel is not waited for, and the widget comes in its place once it is there", async () => {
  const output = open(notebook());
  await turn(300);
  expect(output.node.children).toHaveLength(0);
  await turn(200);
  const [before] = shown(output.node);
  expect(before).toBeDefined();
  answer({ w1: {} });
  await turn();
  expect(shown(output.node)).toEqual([before]); // ipywidgets has it not yet
  view.restore();
  await turn();
  expect(shown(output.node)).toEqual([view.node]);
  expect(before?.isConnected).toBe(false);
});

test("in a JupyterLab without ipywidgets it is shown without", async () => {
  const panel = notebook();
  panel.content.rendermime.createRenderer = () => {
    throw new Error("No factory for mime type");
  };
  const output = open(panel);
  answer({ w1: {} });
  await turn();
  expect(output.node.children).toHaveLength(1);
});

test("what is closed before the kernel answers shows nothing more", async () => {
  const output = open(notebook());
  output.dispose();
  answer({ w1: {} });
  await turn(1000);
  expect(output.node.children).toHaveLength(0);
  expect(view.node.isConnected).toBe(false);
});
