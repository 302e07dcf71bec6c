import { element } from "../dom";

/** A button that shows a sign and has a name. */
export function button(sign: string, name: string, act: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: "button", title: name, "aria-label": name }, sign);
  made.addEventListener("click", act);
  return made;
}
