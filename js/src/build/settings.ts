import { copyText } from "../clipboard";
import { element, setText } from "../dom";
import { icon } from "../icons";
import type { Artifact, Build } from "../transport";

/** A text with a button that copies it. */
function copyable(label: string, text: string | Promise<string>): HTMLElement {
  const said = element("span", { class: "said", role: "status" });
  const shown = element("pre", { tabindex: 0, role: "group", "aria-label": label });
  const button = element(
    "button",
    { type: "button", class: "quiet", "aria-label": `Copy: ${label}`, disabled: true },
    icon("copy"),
    "Copy",
  );
  button.addEventListener("click", async () => {
    setText(said, (await copyText(shown.textContent)) ? "Copied" : "The browser did not let us copy");
  });
  const fill = (content: string) => {
    shown.textContent = content;
    button.disabled = false;
  };
  if (typeof text === "string") fill(text);
  else {
    setText(said, "Loading…");
    text.then(
      (content) => {
        setText(said, "");
        fill(content);
      },
      (reason) => setText(said, reason instanceof Error ? reason.message : String(reason)),
    );
  }
  return element(
    "div",
    { class: "copyable" },
    element("div", { class: "copyable-head" }, element("h3", {}, label), said, button),
    shown,
  );
}

/** A command line as one would type it. */
export function commandText(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`))
    .join(" ");
}

/** What was built, how, and how to do it again, to be copied. `resolved` reads LibreLane's own configuration. */
export function settingsPanel(build: Build, resolved: (() => Promise<string>) | null): HTMLElement {
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
  const { command } = build;
  const python = `import a6hub_jupyter as a6hub\nbuild = a6hub.build("${build.id}")`;
  const config = build.config && JSON.stringify(build.config, null, 2);
  return element(
    "div",
    {},
    list,
    copyable("Find this build from any kernel", python),
    command && copyable("LibreLane's command line, as it ran", commandText(command.argv)),
    command?.shell ? copyable("The same again, in a terminal", command.shell) : null,
    config ? copyable("Configuration, as it was given", config) : null,
    resolved && copyable("Configuration, as LibreLane resolved it", resolved()),
  );
}

/** The file in which LibreLane writes down its configuration with all defaults. */
export function resolvedConfig(artifacts: readonly Artifact[]): Artifact | undefined {
  return artifacts.find((one) => one.path === "resolved.json");
}
