import type { RelayGateway } from "../transport";
import { type LayoutSource, sceneAddress } from ".";
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
  report: string,
  signal: AbortSignal,
): Promise<Carried> {
  const paths = sceneAddress({ base: "", token: "" }, source, report);
  const fetched = async (url: unknown) => relay.request(String(url).replace("api/a6hub/", ""), { signal });
  const [scene, layers, markers, worker] = await Promise.all([
    fetched(paths.scene).then((response) => response.arrayBuffer()),
    fetched(paths.layers).then((response) => response.json() as Promise<LayerList>),
    // A layout without its markers is worth more than none.
    paths.markers
      ? fetched(paths.markers).then(
          (response) => response.json() as Promise<MarkerList>,
          () => undefined,
        )
      : undefined,
    relay.asset("layout-worker.js", signal),
  ]);
  return { address: { scene: new Uint8Array(scene), layers, markers, headers: {} }, worker };
}
