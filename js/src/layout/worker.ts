// The worker of the layout viewer: fetches, decodes and draws, so that the page stays quick.
import { load } from "./load";
import type { Answer, Request } from "./protocol";
import { Renderer } from "./renderer";

// Cells smaller than this are drawn as a pattern; more of them while the view moves and frames are slow. CSS pixels.
const DETAIL = 3;
const DETAIL_MOVING = 10;
const SLOW = 40; // ms

const port = self as unknown as {
  postMessage(answer: Answer): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
};

let renderer: Renderer | undefined;
let exactTime = 0;

async function open(request: Request & { type: "open" }): Promise<void> {
  const { scene, layers, note, timing } = await load(request.address);
  renderer = new Renderer(scene, request.canvas, layers);
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

function draw({ view, width, height, ratio, moving }: Request & { type: "draw" }): void {
  if (!renderer) return;
  const start = performance.now();
  const detail = (moving && exactTime > SLOW ? DETAIL_MOVING : DETAIL) * ratio;
  const { simplified } = renderer.draw(view, width, height, ratio, detail);
  const milliseconds = performance.now() - start;
  if (!moving) exactTime = milliseconds;
  port.postMessage({ type: "drawn", milliseconds, moving, simplified });
}

port.onmessage = async ({ data }) => {
  try {
    if (data.type === "open") await open(data);
    else if (data.type === "show") renderer?.show(data.visible);
    else draw(data);
  } catch (error) {
    port.postMessage({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  }
};
