import { type Lumino, type MimeModel, RANK } from "./shared";
import { contentOf, showView } from "./views";

const MIME_TYPE = "application/vnd.a6hub.build+json";

/** The extension that shows builds: an output names its build, and that is enough, whatever became of the kernel. */
export function buildExtension({ Widget }: Lumino): unknown {
  class BuildOutput extends Widget {
    private readonly ended = new AbortController();
    private shown = "";

    /** Lab asks again when the output is brought up to date: the view of a build does that by itself. */
    async renderModel(model: MimeModel): Promise<void> {
      const content = contentOf(model.data, MIME_TYPE);
      const id = String(content.build_id ?? "");
      if (id === this.shown) return;
      this.shown = id;
      await showView("build", this.node, content, this.ended.signal);
    }

    override dispose(): void {
      this.ended.abort();
      super.dispose();
    }
  }

  return {
    id: "a6hub-jupyter:build",
    rendererFactory: { safe: false, mimeTypes: [MIME_TYPE], createRenderer: () => new BuildOutput() },
    rank: RANK,
    dataType: "json",
  };
}
