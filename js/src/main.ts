import { renderBuild as renderBuildView } from "./build";
import type { WidgetContext } from "./context";
import { type LayoutContext, renderLayout as renderLayoutView } from "./layout";
import { relayOf } from "./transport";

export function renderLayout(context: WidgetContext | LayoutContext): void {
  const relayed = "relayed" in context && context.relayed;
  if (relayed) renderLayoutView({ ...context, relay: relayOf(context.model, context.signal) });
  else renderLayoutView(context);
}

export function renderBuild(context: WidgetContext): void {
  renderBuildView(context, renderLayoutView);
}
