import type { WidgetModel } from "./context";

/** A message of the kernel's relay (a6hub_jupyter/client/relay.py); `call` names the request that it belongs to. */
export interface RelayMessage {
  readonly relay: string;
  readonly call?: string;
  readonly [more: string]: unknown;
}

let calls = 0;
const PAGE = Math.random().toString(36).slice(2);

/** A name for a request that no other of any page has. */
export function newCall(): string {
  calls += 1;
  return `${PAGE}-${calls}`;
}

/** Hears what the relay says through `model` until `signal` aborts. */
export function hearRelay(
  model: WidgetModel,
  hear: (message: RelayMessage, buffer: DataView | undefined) => void,
  signal: AbortSignal,
): void {
  const heard = (message?: unknown, buffers?: readonly DataView[]) => {
    if (typeof message === "object" && message !== null && "relay" in message)
      hear(message as RelayMessage, buffers?.[0]);
  };
  model.on("msg:custom", heard);
  signal.addEventListener("abort", () => model.off("msg:custom", heard), { once: true });
}

/** The address of a script of our bundle, which the kernel sends packed. */
export async function assetOfKernel(model: WidgetModel, name: string, signal: AbortSignal): Promise<string> {
  const call = newCall();
  const done = new AbortController();
  try {
    const packed = await new Promise<DataView>((resolve, reject) => {
      const gone = () => reject(new Error("The view was closed."));
      signal.addEventListener("abort", gone, { once: true, signal: done.signal });
      const hear = (message: RelayMessage, buffer: DataView | undefined) => {
        if (message.call !== call) return;
        if (message.relay === "asset" && buffer) resolve(buffer);
        else if (message.relay === "failed") reject(new Error(String(message.message)));
      };
      hearRelay(model, hear, done.signal);
      model.send?.({ relay: "asset", call, name });
    });
    const plain = new Blob([packed as DataView<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream("gzip"));
    const script = new Blob([await new Response(plain).arrayBuffer()], { type: "text/javascript" });
    return URL.createObjectURL(script);
  } finally {
    done.abort();
  }
}
