import { copyText } from "../clipboard";
import { element, setText } from "../dom";
import { icon } from "../icons";
import type { Build } from "../transport";

/** A text with a button that copies it. */
function copyable(label: string, text: string): HTMLElement {
  const said = element("span", { role: "status" });
  const button = element("button", { type: "button", class: "quiet" }, icon("copy"), "Copy");
  button.addEventListener("click", async () => {
    setText(said, (await copyText(text)) ? "Copied" : "The browser did not let us copy");
  });
  return element(
    "div",
    { class: "copyable" },
    element("div", { class: "copyable-head" }, element("h3", {}, label), said, button),
    element("pre", { tabindex: 0, "aria-label": label }, text),
  );
}

/** What was built and how to find it again, to be copied. */
export function settingsPanel(build: Build): HTMLElement {
  const facts = [
    ["Build", build.id],
    ["Design", build.design.directory],
    ["Run directory", build.run_directory],
    ["Cell library", build.scl ?? ""],
    ["Executor", build.executor],
    ["Exit code", build.exit_code === null || build.exit_code === undefined ? "" : String(build.exit_code)],
  ].filter(([, value]) => value);
  const list = element("dl", { class: "settings" });
  for (const [name, value] of facts) list.append(element("dt", {}, name), element("dd", {}, value));
  const python = `import a6hub_jupyter as a6hub\nbuild = a6hub.build("${build.id}")`;
  const panel = element("div", {}, list, copyable("Find this build from any kernel", python));
  if (build.config) panel.append(copyable("Configuration", JSON.stringify(build.config, null, 2)));
  return panel;
}
