import { decodeOasis } from "./oasis/decode";
import type { LayerInfo, LayerList, SceneAddress } from "./protocol";
import { buildScene, type Scene } from "./scene";

/** A layer of the list that is in the scene; `index` is the scene's. */
export type PresentLayer = LayerInfo & { readonly index: number };

export interface Loaded {
  readonly scene: Scene;
  readonly layers: readonly PresentLayer[];
  readonly note: string | undefined;
  readonly timing: { fetch: number; decode: number; index: number };
}

/** Fetch, decode and index; throws an Error with a sentence for people. */
export async function load(address: Omit<SceneAddress, "markers" | "nets" | "other">): Promise<Loaded> {
  const start = performance.now();
  const [body, list] = await Promise.all([
    sceneBytes(address),
    typeof address.layers === "string"
      ? get(address.layers, address.headers).then((response) => response.json() as Promise<LayerList>)
      : address.layers,
  ]);
  const fetched = performance.now();
  const layout = decodeOasis(body);
  const decoded = performance.now();
  const scene = buildScene(layout, typeof list.top === "string" ? list.top : undefined);
  const index = performance.now() - decoded;
  return {
    scene,
    layers: presentLayers(scene, list.layers ?? []),
    note: typeof list.note === "string" ? list.note : undefined,
    timing: { fetch: fetched - start, decode: decoded - fetched, index },
  };
}

/** The layers of both, in one order, for each of them: -1 where a layout has not that layer. */
export function shareLayers(one: Loaded, other: Loaded): [PresentLayer[], PresentLayer[]] {
  const key = ({ layer, datatype }: LayerInfo) => `${layer}/${datatype}`;
  const known = new Set(one.layers.map(key));
  const all = [...one.layers, ...other.layers.filter((layer) => !known.has(key(layer)))];
  const indices = new Map(other.layers.map((layer) => [key(layer), layer.index]));
  return [
    all.map((layer) => (known.has(key(layer)) ? layer : { ...layer, index: -1 })),
    all.map((layer) => ({ ...layer, index: indices.get(key(layer)) ?? -1 })),
  ];
}

async function sceneBytes({ scene, headers }: Pick<SceneAddress, "scene" | "headers">): Promise<Uint8Array> {
  if (typeof scene !== "string") return inflate(scene);
  return inflate(new Uint8Array(await (await get(scene, headers)).arrayBuffer()));
}

/** Ask the server; throws an Error with a sentence for people. */
export async function get(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers, credentials: "same-origin" });
  } catch {
    throw new Error("The server does not answer. Check that it is running, and open the layout again.");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (typeof problem.message === "string" && problem.message) {
    const remedy = typeof problem.remedy === "string" ? problem.remedy : "";
    throw new Error(`${problem.message} ${remedy}`.trim());
  }
  if (response.status === 404) throw new Error("This layout is not there (any more).");
  if (response.status === 401 || response.status === 403)
    throw new Error("You are not allowed to see this layout. Log in again, and reload the page.");
  throw new Error(`The server could not give the layout (status ${response.status}).`);
}

/** The bytes, inflated where they are packed: in a saved page, or where a proxy has taken the header away. */
async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The list in its order, without what the scene has not; what the list has not comes on top, in grey. */
export function presentLayers(scene: Scene, list: readonly LayerInfo[]): PresentLayer[] {
  const keys = scene.layout.layers.map(({ layer, datatype }) => `${layer}/${datatype}`);
  const present: PresentLayer[] = [];
  const listed = new Set<number>();
  for (const layer of list) {
    const index = keys.indexOf(`${layer.layer}/${layer.datatype}`);
    if (index < 0 || listed.has(index)) continue;
    listed.add(index);
    present.push({ ...layer, index });
  }
  scene.layout.layers.forEach((key, index) => {
    if (!listed.has(index))
      present.push({
        ...key,
        name: keys[index] as string,
        fill: "#9aa0a6",
        frame: "#9aa0a6",
        visible: true,
        index,
      });
  });
  return present;
}
