// Builds the bundle into a6hub_jupyter/static (or the directory given as the first argument).
// Order matters: the worker's hash goes into main.js, and that of main.js into bootstrap.js.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const source = path.join(here, "src");
const target = path.resolve(process.argv[2] ?? path.join(here, "..", "a6hub_jupyter", "static"));

const BOOTSTRAP_LIMIT = 15_000; // bytes, not compressed: it is stored in notebooks as it is
const MAIN_LIMIT = 40_000; // bytes, gzip: bootstrap and main without the layout viewer

const LAYOUT_LIMIT = 60_000; // bytes, gzip: the layout viewer, with its worker

/** `import text from "./style.css?inline"` gives the minified sheet as a string, as Vite does in the tests. */
const inlineCss = {
  name: "inline-css",
  setup(esbuild) {
    esbuild.onResolve({ filter: /\.css\?inline$/ }, (args) => ({
      path: path.join(args.resolveDir, args.path.replace(/\?inline$/, "")),
      namespace: "inline-css",
    }));
    esbuild.onLoad({ filter: /.*/, namespace: "inline-css" }, async (args) => {
      const sheet = await readFile(args.path, "utf8");
      const { code } = await transform(sheet, { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text", watchFiles: [args.path] };
    });
  },
};

async function bundle(entry, define, external = []) {
  const result = await build({
    entryPoints: [path.join(source, entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    charset: "utf8",
    define,
    external,
    plugins: [inlineCss],
    logLevel: "warning",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;
const kilobytes = (count) => `${(count / 1000).toFixed(1).padStart(7)} kB`;

function stop(message) {
  console.error(message);
  process.exit(1);
}

for (const entry of ["layout/index.ts", "layout/worker.ts"]) {
  if (!existsSync(path.join(source, entry)))
    stop(`js/src/${entry} is missing: the bundle needs the layout viewer.`);
}

const worker = await bundle("layout/worker.ts", {});
const workerDefine = { __LAYOUT_WORKER_HASH__: JSON.stringify(hashOf(worker)) };
const main = await bundle("main.ts", workerDefine);
const bootstrap = await bundle("bootstrap.ts", {
  ...workerDefine,
  __MAIN_HASH__: JSON.stringify(hashOf(main)),
});
const withoutLayout = await bundle("main.ts", workerDefine, ["*/layout"]);

// What JupyterLab asks of an extension: a script that leaves itself under `_JUPYTERLAB`, named in its package.json.
const entry = await bundle("labextension.ts", {});
const entryName = `static/remoteEntry.${hashOf(entry)}.js`;
const { version, description, license } = JSON.parse(await readFile(path.join(here, "package.json"), "utf8"));
const labPackage = {
  ...{ name: "a6hub-jupyter", version, description, license },
  jupyterlab: {
    extension: "./extension",
    mimeExtension: "./mimeExtension",
    _build: { load: entryName, extension: "./extension", mimeExtension: "./mimeExtension" },
  },
};

const outputs = { "bootstrap.js": bootstrap, "main.js": main, "layout-worker.js": worker };
const manifest = {};
for (const [name, bytes] of Object.entries(outputs)) {
  manifest[name] = { hash: hashOf(bytes), size: bytes.length, gzip: gzipped(bytes) };
  console.log(`${name.padEnd(20)} ${kilobytes(bytes.length)}  gzip ${kilobytes(manifest[name].gzip)}`);
}
const core = gzipped(bootstrap) + gzipped(withoutLayout);
console.log(`${"without the layout".padEnd(20)} ${kilobytes(withoutLayout.length)}  gzip ${kilobytes(core)}`);

if (bootstrap.length > BOOTSTRAP_LIMIT) stop(`bootstrap.js is over its limit of ${BOOTSTRAP_LIMIT} bytes.`);
if (core > MAIN_LIMIT)
  stop(`The code without the layout viewer is over its limit of ${MAIN_LIMIT} bytes gzip.`);

const layout = gzipped(main) - gzipped(withoutLayout) + gzipped(worker);
console.log(`${"the layout".padEnd(20)} ${" ".repeat(10)}  gzip ${kilobytes(layout)}`);
if (layout > LAYOUT_LIMIT) stop(`The layout viewer is over its limit of ${LAYOUT_LIMIT} bytes gzip.`);

manifest["without the layout"] = { gzip: core };

await mkdir(target, { recursive: true });
const lab = path.join(target, "labextension");
await rm(lab, { recursive: true, force: true });
await mkdir(path.join(lab, "static"), { recursive: true });
await writeFile(path.join(lab, entryName), entry);
await writeFile(path.join(lab, "package.json"), `${JSON.stringify(labPackage, null, 2)}\n`);
for (const [name, bytes] of Object.entries(outputs)) await writeFile(path.join(target, name), bytes);
await writeFile(path.join(target, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
