import { element, setText } from "../dom";
import { formatNumber } from "../format";

// LibreLane's metrics carry their unit in their name, so to speak.
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/utili[sz]ation/, ""],
  [/^(?:timing__(?:setup|hold)(?:_r2r)?__(?:ws|wns|tns)|clock__(?:skew|insertion))/, "ns"],
  [/^power__/, "W"],
  [/^(?:ir__|design_powergrid__(?:voltage|drop))/, "V"],
  [/__area(?:$|__)/, "µm²"],
  [/(?:wirelength|displacement)/, "µm"],
  [/bbox$/, "µm"],
];

/** The unit of a LibreLane metric; empty for counts and ratios. */
export function unitOf(name: string): string {
  return UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? "";
}

function valueText(value: unknown): string {
  if (typeof value === "number") {
    const size = Math.abs(value);
    // Watts of a small chip: digits that count, and no row of zeros.
    return size !== 0 && size < 0.001 ? value.toExponential(3) : formatNumber(value, size < 10 ? 4 : 2);
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** All metrics as a table that is searched by parts of their names: `setup ws` finds `timing__setup__ws`. */
export function metricTable(metrics: Readonly<Record<string, unknown>>): HTMLElement {
  const rows = Object.keys(metrics)
    .sort()
    .map((name) => {
      // An empty unit takes its room too, so that the figures stand below each other.
      const unit = element("span", { class: "unit" }, unitOf(name));
      const value = element("td", {}, valueText(metrics[name]), unit);
      return { name, row: element("tr", {}, element("th", { scope: "row" }, name), value) };
    });
  const input = element("input", {
    type: "search",
    placeholder: "Search the metrics",
    "aria-label": "Search the metrics",
    autocomplete: "off",
    spellcheck: "false",
  });
  const count = element("span", { class: "metric-count", role: "status" });
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const { name, row } of rows) {
      row.hidden = !words.every((word) => name.includes(word));
      if (!row.hidden) shown += 1;
    }
    setText(count, input.value ? `${formatNumber(shown)} of ${formatNumber(rows.length)}` : "");
  });
  const body = element("tbody", {}, ...rows.map(({ row }) => row));
  const scroll = element(
    "div",
    { class: "metric-scroll", tabindex: 0, role: "group", "aria-label": "Metrics" },
    element("table", {}, body),
  );
  return element("div", { class: "metrics" }, element("div", { class: "metric-find" }, input, count), scroll);
}
