// WebAssembly Web API: compileStreaming() and instantiateStreaming(). A module's bytes are all here before V8 compiles
// them: the daemon hands them over faster than a compiler would take them.
import { HttpResponse_Type } from "#ipc/storage.ts";
import { Response } from "./response.ts";

interface WebAssemblyNamespace {
  compile(bytes: ArrayBuffer): Promise<object>;
  instantiate(bytes: ArrayBuffer, imports?: unknown): Promise<object>;
}
const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyNamespace };
const { compile, instantiate } = WebAssembly;
const opaqueTypes = [HttpResponse_Type.OPAQUE, HttpResponse_Type.OPAQUE_REDIRECT];
const arrayBufferOf = Response.prototype.arrayBuffer;

// "Compile a potential WebAssembly response", up to the bytes.
async function bytesOfResponse(source: unknown, method: string): Promise<ArrayBuffer> {
  const refuse = (why: string): never => {
    throw new TypeError(`Failed to execute '${method}' on 'WebAssembly': ${why}`);
  };
  const response = await source;
  if (!Response.isInstance(response)) {
    return refuse("An argument must be provided, which must be a Response or Promise<Response> object");
  }
  const { type, status, headers } = Response.encode(response);
  if (opaqueTypes.includes(type)) return refuse("Cannot compile an opaque response.");
  if (status < 200 || status > 299) return refuse("HTTP status code is not ok");
  const types = headers.filter(({ name }) => name.toLowerCase() === "content-type").map(({ value }) => value);
  if (types.join(", ").toLowerCase() !== "application/wasm") {
    return refuse("Incorrect response MIME type. Expected 'application/wasm'.");
  }
  return arrayBufferOf.call(response);
}

export function installWasmStreaming(): void {
  const methods = {
    async compileStreaming(source: unknown): Promise<object> {
      return compile.call(WebAssembly, await bytesOfResponse(source, "compileStreaming"));
    },
    async instantiateStreaming(source: unknown, imports: unknown = undefined): Promise<object> {
      const bytes = await bytesOfResponse(source, "instantiateStreaming");
      return instantiate.call(WebAssembly, bytes, imports);
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(WebAssembly, name, { value, writable: true, enumerable: true, configurable: true });
  }
}
