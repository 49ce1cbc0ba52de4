// Makes the panel's files with Vite, and the C++ source that embeds them. usage: bundle.mjs OUTPUT_DIR
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const output = process.argv[2];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = join(output, "files");

await build({
  configFile: false,
  root,
  logLevel: "warn",
  publicDir: false,
  // Vite keeps nothing beside the sources.
  cacheDir: join(output, "cache"),
  build: {
    outDir: files,
    emptyOutDir: true,
    target: "es2022",
    // The content security policy has no place for data: URLs and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: false,
    // What the licenses of the packages inside ask for.
    license: { fileName: "licenses.md" },
  },
});

const kTypes = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
};

function list(folder, out = []) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) list(path, out);
    else out.push(path);
  }
  return out;
}

const embedded = list(files).map((file, index) => {
  const path = `/${relative(files, file)}`;
  const type = kTypes[extname(file)];
  if (type === undefined) throw new Error(`${path}: no content type is known for such a file`);
  return { file, path: path === "/index.html" ? "/" : path, type, symbol: `vigil_ui_bytes_${index}`, size: statSync(file).size };
});

const bytes = embedded.map(({ file, symbol }) => `    "${symbol}:\\n"\n    ".incbin \\"${file}\\"\\n"\n`).join("");
mkdirSync(output, { recursive: true });
writeFileSync(
  join(output, "bundle.cc"),
  `// Made by ui/build/bundle.mjs.
#include "ui/bundle.h"
__asm__(
    ".section .rodata\\n"
${bytes}    ".previous\\n");
extern "C" {
${embedded.map(({ symbol }) => `extern const char ${symbol}[];`).join("\n")}
const vigil_ui_file vigil_ui_files[] = {
${embedded.map(({ path, type, symbol, size }) => `    {"${path}", "${type}", ${symbol}, ${size}},`).join("\n")}
};
const std::size_t vigil_ui_file_count = ${embedded.length};
}
`,
);
