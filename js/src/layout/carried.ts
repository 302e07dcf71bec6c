import type { RelayGateway } from "../transport";
import { type Beside, type LayoutSource, sceneAddress } from ".";
import type { MarkerList } from "./markers";
import type { LayerList, SceneAddress } from "./protocol";

export interface Carried {
  readonly address: SceneAddress;
  readonly worker: string;
}

/** Fetches a layout with all that belongs to it where neither the page nor its worker can reach the server. */
export async function carry(
  relay: RelayGateway,
  source: LayoutSource,
  beside: Beside,
  signal: AbortSignal,
): Promise<Carried> {
  const paths = sceneAddress({ base: "", token: "" }, source, beside);
  const below = (url: unknown) => String(url).replace("api/a6hub/", "");
  const fetched = async (url: unknown) => relay.request(below(url), { signal });
  const drawn = async (from: Pick<SceneAddress, "scene" | "layers">) => {
    const [scene, layers] = await Promise.all([fetched(from.scene), fetched(from.layers)]);
    return {
      scene: new Uint8Array(await scene.arrayBuffer()),
      layers: (await layers.json()) as LayerList,
    };
  };
  const [first, other, markers, worker] = await Promise.all([
    drawn(paths),
    paths.other && drawn(paths.other),
    // A layout without its markers is worth more than none.
    paths.markers
      ? fetched(paths.markers).then(
          (response) => response.json() as Promise<MarkerList>,
          () => undefined,
        )
      : undefined,
    relay.asset("layout-worker.js", signal),
  ]);
  const nets = paths.nets === undefined ? undefined : below(paths.nets);
  return { address: { ...first, other, markers, nets, headers: {} }, worker };
}
