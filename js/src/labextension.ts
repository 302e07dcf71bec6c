// The part of JupyterLab and Notebook 7 that shows the outputs of saved notebooks. Written by hand to what a federated
// extension is, so that it needs no bundler of JupyterLab's.
import { buildExtension } from "./lab/build-output";
import { layoutExtension } from "./lab/layout-output";
import { type Lumino, type Shared, sharedModule } from "./lab/shared";

let shared: Shared = {};

const modules: Record<string, () => Promise<unknown>> = {
  "./mimeExtension": async () => buildExtension(await sharedModule<Lumino>(shared, "@lumino/widgets")),
  "./extension": async () => {
    const { INotebookTracker } = await sharedModule<{ INotebookTracker: unknown }>(
      shared,
      "@jupyterlab/notebook",
    );
    return layoutExtension(await sharedModule<Lumino>(shared, "@lumino/widgets"), INotebookTracker);
  },
};

const extensions = globalThis as unknown as { _JUPYTERLAB?: Record<string, unknown> };
extensions._JUPYTERLAB ??= {};
extensions._JUPYTERLAB["a6hub-jupyter"] = {
  init(scope: Shared) {
    shared = scope;
  },
  async get(name: string) {
    const module = { __esModule: true, default: await modules[name]?.() };
    return () => module;
  },
};
