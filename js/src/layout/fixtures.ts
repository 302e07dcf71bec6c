/** The bytes of a layout in `fixtures/`. */
export async function fixture(name: string): Promise<Uint8Array> {
  const urls: Record<string, URL> = {
    gdstk: new URL("./fixtures/gdstk.oas", import.meta.url),
    klayout: new URL("./fixtures/klayout.oas", import.meta.url),
    records: new URL("./fixtures/records.oas", import.meta.url),
  };
  const response = await fetch(urls[name] as URL);
  return new Uint8Array(await response.arrayBuffer());
}
