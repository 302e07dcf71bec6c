import { element } from "../dom";
import type { Transport } from "../transport";

/** Saves what `link` leads to, fetched through `transport`; `say` tells how it goes, and nothing once it is done. */
export async function saveLink(
  link: HTMLAnchorElement,
  transport: Transport,
  say: (sentence: string) => void,
): Promise<void> {
  const name = link.download || "download";
  say(`Fetching ${name} through the kernel…`);
  try {
    const url = URL.createObjectURL(await transport.download(link.getAttribute("href") ?? ""));
    element("a", { href: url, download: name }).click();
    // The browser takes its time to begin with what it was given.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    say("");
  } catch (reason) {
    say(`${name} cannot be fetched. ${reason instanceof Error ? reason.message : String(reason)}`);
  }
}
