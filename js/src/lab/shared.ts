// What our extension uses of JupyterLab and Lumino: as much of their types as that takes, since neither is bundled.

/** The modules that JupyterLab shares with its extensions, by name and version. */
export type Shared = Readonly<
  Record<string, Readonly<Record<string, { get(): Promise<() => unknown> | (() => unknown) }>>>
>;

/** Lumino's Widget and Panel. */
export interface LuminoWidget {
  readonly node: HTMLElement;
  readonly isDisposed: boolean;
  dispose(): void;
  hide(): void;
  show(): void;
}

export interface LuminoPanel extends LuminoWidget {
  addWidget(child: LuminoWidget): void;
}

export interface Lumino {
  readonly Widget: new () => LuminoWidget;
  readonly Panel: new () => LuminoPanel;
}

/** The data of an output, by type. */
export interface MimeModel {
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Renderer extends LuminoWidget {
  renderModel(model: MimeModel): Promise<void>;
}

export interface RendererFactory {
  readonly safe: boolean;
  readonly mimeTypes: readonly string[];
  createRenderer(options: unknown): Renderer;
}

/** One notebook that is open. */
export interface NotebookPanel {
  readonly content: {
    readonly rendermime: {
      addFactory(factory: RendererFactory, rank: number): void;
      createRenderer(type: string): Renderer;
    };
  };
  readonly sessionContext: {
    readonly ready: Promise<void>;
    readonly session: { readonly kernel: Kernel | null } | null;
  };
}

export interface Kernel {
  requestCommInfo(content: { target_name: string }): Promise<{ readonly content: Record<string, unknown> }>;
}

export interface NotebookTracker {
  forEach(each: (panel: NotebookPanel) => void): void;
  readonly widgetAdded: { connect(slot: (sender: unknown, panel: NotebookPanel) => void): void };
}

/** A module that JupyterLab has already, in any of its versions. */
export async function sharedModule<Module>(shared: Shared, name: string): Promise<Module> {
  const [version] = Object.values(shared[name] ?? {});
  if (!version) throw new Error(`JupyterLab does not share ${name}.`);
  return (await version.get())() as Module;
}

// Below the -10 of ipywidgets: a widget's view is nothing without its kernel.
export const RANK = -20;
