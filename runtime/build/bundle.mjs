// Makes the worker's script: bundles runtime/main.ts with the generated messages and the npm packages it needs, and
// writes the C++ source that embeds it. usage: bundle.mjs OUTPUT_DIR
import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const output = process.argv[2];
const here = dirname(fileURLToPath(import.meta.url));
const runtime = dirname(here);
const modules = join(dirname(runtime), "node_modules");

// Where bare names lead that the sources or the generated code use.
const redirects = {
  name: "redirects",
  setup(bundler) {
    bundler.onResolve({ filter: /^#ipc\// }, (args) => ({ path: join(output, "ipc", args.path.slice(5)) }));
    // The generated code makes an empty array for each field of bytes before it reads it: one for all will do, as nobody
    // can write into it.
    bundler.onLoad({ filter: /[/\\]ipc[/\\]\w+\.ts$/ }, (args) => {
      // And it turns each number into text and back.
      const code = readFileSync(args.path, "utf8")
        .replaceAll("new Uint8Array(0)", "noBytes")
        .replaceAll("int64.toString()", "int64");
      return { loader: "ts", contents: `${code}\nconst noBytes = new Uint8Array();\n` };
    });
    bundler.onResolve({ filter: /^@bufbuild\/protobuf\/wire$/ }, () => ({
      path: join(modules, "@bufbuild/protobuf/dist/esm/wire/index.js"),
    }));
  },
};
// Packages that would use globals get them from a module of ours instead: scripts can replace any global.
const globals = {
  name: "globals",
  setup(bundler) {
    const from = (filter, names, file) =>
      bundler.onLoad({ filter }, async ({ path }) => ({
        contents: `import {${names}} from ${JSON.stringify(join(runtime, file))};\n${await readFile(path, "utf8")}`,
        resolveDir: dirname(path),
      }));
    from(/\/web-streams-polyfill\/dist\/ponyfill\.mjs$/, "AbortController, queueMicrotask", "streams_globals.ts");
    from(/\/urlpattern-polyfill\/dist\/urlpattern\.js$/, "URL, RegExp", "url_pattern_globals.ts");
  },
};

const intrinsics =
  "AggregateError,Array,ArrayBuffer,BigInt,Boolean,DataView,Date,Error,FinalizationRegistry,Function,JSON,Map,Math," +
  "Number,Object,Promise,Proxy,RangeError,Reflect,RegExp,Set,String,Symbol,SyntaxError,TypeError,Uint8Array,WeakMap," +
  "WeakRef,WeakSet";

const result = await build({
  entryPoints: [join(runtime, "main.ts")],
  bundle: true,
  write: false,
  format: "cjs",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["import"],
  target: "es2024",
  charset: "ascii",
  legalComments: "none",
  minifyWhitespace: true,
  minifySyntax: true,
  nodePaths: [modules],
  tsconfigRaw: { compilerOptions: { target: "esnext", useDefineForClassFields: true } },
  // The language's own objects are taken before any script can put something else in their place.
  banner: { js: `((module)=>{"use strict";const {${intrinsics}}=globalThis;` },
  footer: { js: "return module.exports.install})({exports:{}})" },
  plugins: [redirects, globals],
  logLevel: "warning",
});
const script = result.outputFiles[0].contents;
const bundle = join(output, "bundle.js");
writeFileSync(bundle, script);
writeFileSync(
  join(output, "bundle.cc"),
  `// Made by runtime/build/bundle.mjs.
#include "runtime/bundle.h"
__asm__(
    ".section .rodata\\n"
    ".global vigil_runtime_bundle\\n"
    ".balign 16\\n"
    "vigil_runtime_bundle:\\n"
    ".incbin \\"${bundle}\\"\\n"
    ".byte 0\\n"
    ".previous\\n");
extern "C" {
extern const std::size_t vigil_runtime_bundle_size = ${script.length};
}
`,
);
