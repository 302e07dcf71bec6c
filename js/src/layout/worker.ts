// The worker of the layout viewer: fetches, decodes and draws, so that the page stays quick.
import { findCell, listCells } from "./cells";
import type { Limits } from "./collect";
import { load } from "./load";
import { pick, snap } from "./probe";
import type { Answer, Options, Question, Replies, Request } from "./protocol";
import { Renderer } from "./renderer";
import type { Node } from "./scene";

// Cells smaller than this are drawn as a pattern; more of them while the view moves and frames are slow. CSS pixels.
const DETAIL = 3;
const DETAIL_MOVING = 10;
const SLOW = 40; // ms
// A picture in full detail is given up for a new view this often; ms.
const SLICE = 12;

const port = self as unknown as {
  postMessage(answer: Answer, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
};

type DrawRequest = Request & { type: "draw" };

let canvas: OffscreenCanvas | undefined;
let renderer: Renderer | undefined;
let exactTime = 0;
let wanted: DrawRequest | undefined;
let drawing = false;

async function open(request: Request & { type: "open" }): Promise<void> {
  canvas = request.canvas ?? canvas;
  const { scene, layers, note, timing } = await load(request.address);
  if (!canvas) return;
  renderer = new Renderer(scene, canvas, layers);
  const { x1, y1, x2, y2 } = scene.top.box;
  port.postMessage({
    type: "opened",
    layers: layers.map(({ index: _index, ...layer }) => layer),
    top: scene.top.cell.name,
    unit: scene.layout.unit,
    box: [x1, y1, x2, y2],
    note,
    timing,
  });
}

function setOptions({ fills, labels, depth, hidden }: Options): void {
  if (!renderer) return;
  const { nodes } = renderer.scene;
  const next: Limits = {
    depth: depth > 0 ? depth : Number.POSITIVE_INFINITY,
    hidden: new Set(hidden.map((index) => nodes[index] as Node)),
  };
  const { limits } = renderer;
  const same = next.depth === limits.depth && next.hidden.size === limits.hidden.size;
  const unchanged = same && [...next.hidden].every((node) => limits.hidden.has(node));
  renderer.look({ fills, labels, limits: unchanged ? limits : next });
}

/** Draw what is wanted until it is there; a view at rest is given up as soon as another one is wanted. */
async function drawAll(): Promise<void> {
  if (drawing) return;
  drawing = true;
  try {
    while (wanted && renderer) {
      const request: DrawRequest = wanted;
      wanted = undefined;
      const { view, width, height, ratio, moving } = request;
      const start = performance.now();
      const rough = moving && exactTime > SLOW;
      const detail = (rough ? DETAIL_MOVING : DETAIL) * ratio;
      const steps = renderer.render(view, width, height, ratio, detail, rough);
      let sliced = start;
      for (;;) {
        const { done, value } = steps.next();
        if (done) {
          const milliseconds = performance.now() - start;
          if (!moving) exactTime = milliseconds;
          port.postMessage({ type: "drawn", view, milliseconds, moving, simplified: value.simplified });
          break;
        }
        if (!moving && performance.now() - sliced > SLICE) {
          await messages();
          sliced = performance.now();
          if (wanted) {
            // It took at least this long: the next frames had better be rough.
            exactTime = Math.max(exactTime, sliced - start);
            break;
          }
        }
      }
    }
  } finally {
    drawing = false;
  }
}

/** Let the messages in that are waiting; a timer would be held back for 4 ms. */
function messages(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

async function reply(question: Question): Promise<Replies[Question["type"]]> {
  if (!renderer || !canvas) throw new Error("The layout is not open yet.");
  const { scene, limits } = renderer;
  switch (question.type) {
    case "pick":
      return pick(scene, renderer.shown(), limits, question.x, question.y, question.radius);
    case "snap":
      return snap(scene, renderer.shown(), limits, question.x, question.y, question.radius);
    case "cells":
      return listCells(scene);
    case "find":
      return findCell(scene, question.cell, question.limit);
    default:
      return createImageBitmap(canvas);
  }
}

async function answer(data: Request): Promise<void> {
  if (data.type === "open") await open(data);
  else if (data.type === "show") renderer?.show(data.visible);
  else if (data.type === "options") setOptions(data.options);
  else if (data.type === "ask") {
    const result = await reply(data.question);
    const transfer = result instanceof ImageBitmap ? [result] : [];
    port.postMessage({ type: "reply", number: data.number, reply: result }, transfer);
  } else {
    wanted = data;
    await drawAll();
  }
}

port.onmessage = async ({ data }) => {
  try {
    await answer(data);
  } catch (error) {
    port.postMessage({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  }
};
