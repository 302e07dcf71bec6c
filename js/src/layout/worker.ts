// The worker of the layout viewer: fetches, decodes and draws, so that the page stays quick.
import { findCell, listCells } from "./cells";
import type { Limits } from "./collect";
import { Box } from "./geometry";
import { load, shareLayers } from "./load";
import { Pacing } from "./pacing";
import { pick, snap } from "./probe";
import type { Answer, Options, Question, Replies, Request } from "./protocol";
import { type Other, Renderer } from "./renderer";
import type { Node } from "./scene";

const port = self as unknown as {
  postMessage(answer: Answer, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
};

let canvas: OffscreenCanvas | undefined;
let renderer: Renderer | undefined;
const pacing = new Pacing((drawn) => port.postMessage(drawn), { now: () => performance.now(), messages });

async function open(request: Request & { type: "open" }): Promise<void> {
  canvas = request.canvas ?? canvas;
  const { address } = request;
  const [loaded, other] = await Promise.all([
    load(address, (loading) => port.postMessage({ type: "loading", ...loading })),
    address.other && load({ ...address.other, headers: address.headers }),
  ]);
  if (!canvas) return;
  const { scene, note, timing } = loaded;
  const [layers, others] = other ? shareLayers(loaded, other) : [loaded.layers, []];
  renderer = new Renderer(scene, canvas, layers);
  pacing.renderer = renderer;
  const all = new Box();
  all.addBox(scene.top.box);
  if (other) {
    const units = scene.layout.unit / other.scene.layout.unit;
    renderer.other = { renderer: new Renderer(other.scene, canvas, others), units };
    const { x1, y1, x2, y2 } = other.scene.top.box;
    all.addBox(new Box(x1 * units, y1 * units, x2 * units, y2 * units));
  }
  const { x1, y1, x2, y2 } = all;
  port.postMessage({
    type: "opened",
    layers: layers.map(({ index: _index, ...layer }) => layer),
    top: scene.top.cell.name,
    unit: scene.layout.unit,
    box: [x1, y1, x2, y2],
    note,
    compared: other !== undefined,
    timing,
  });
}

function setOptions({ fills, labels, depth, hidden, comparing }: Options): void {
  if (!renderer) return;
  renderer.comparing = comparing;
  const { nodes } = renderer.scene;
  const next: Limits = {
    depth: depth > 0 ? depth : Number.POSITIVE_INFINITY,
    hidden: new Set(hidden.map((index) => nodes[index] as Node)),
  };
  const { limits } = renderer;
  const same = next.depth === limits.depth && next.hidden.size === limits.hidden.size;
  const unchanged = same && [...next.hidden].every((node) => limits.hidden.has(node));
  renderer.look({ fills, labels, limits: unchanged ? limits : next });
  const { other } = renderer;
  // Cells are listed for the first layout alone; hidden ones are found in the other by their names.
  if (!other || (unchanged && other.renderer.limits.depth === next.depth)) {
    other?.renderer.look({ fills, labels, limits: other.renderer.limits });
    return;
  }
  const names = new Set([...next.hidden].map((node) => node.cell.name));
  const there = other.renderer.scene.nodes.filter((node) => names.has(node.cell.name));
  other.renderer.look({ fills, labels, limits: { depth: next.depth, hidden: new Set(there) } });
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
  const { scene, limits, other, comparing } = renderer;
  // One points at what one sees.
  if (other && comparing === "second" && (question.type === "pick" || question.type === "snap"))
    return pointAt(other, question);
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

type Pointed = Question & { type: "pick" | "snap" };

/** As `pick` and `snap`, in the other layout; positions are the first one's. */
function pointAt({ renderer: there, units }: Other, question: Pointed): Replies["pick" | "snap"] {
  const [x, y, radius] = [question.x / units, question.y / units, question.radius / units];
  if (question.type === "pick") {
    const hits = pick(there.scene, there.shown(), there.limits, x, y, radius);
    return hits.map((hit) => ({ ...hit, points: hit.points.map((value) => value * units) }));
  }
  const found = snap(there.scene, there.shown(), there.limits, x, y, radius);
  return found && { ...found, x: found.x * units, y: found.y * units };
}

async function answer(data: Request): Promise<void> {
  if (data.type === "open") await open(data);
  else if (data.type === "show") renderer?.show(data.visible);
  else if (data.type === "options") setOptions(data.options);
  else if (data.type === "ask") {
    const result = await reply(data.question);
    const transfer = result instanceof ImageBitmap ? [result] : [];
    port.postMessage({ type: "reply", number: data.number, reply: result }, transfer);
  } else await pacing.draw(data);
}

port.onmessage = async ({ data }) => {
  try {
    await answer(data);
  } catch (error) {
    port.postMessage({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  }
};
