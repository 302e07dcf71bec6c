import { renderBuild as renderBuildView } from "./build";
import type { WidgetContext } from "./context";
import { renderLayout } from "./layout";

export { renderLayout };

export function renderBuild(context: WidgetContext): void {
  renderBuildView(context, renderLayout);
}
