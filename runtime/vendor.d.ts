// Types of the packages that ship none, as far as they are used here.
declare module "@exodus/bytes/encoding.js" {
  export function normalizeEncoding(label: string): string | null;
  export function getBOMEncoding(bytes: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" | null;
  export function legacyHookDecode(bytes: Uint8Array, encoding: string): string;
  export class TextDecoder {
    constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
    decode(bytes: Uint8Array, options: { stream: boolean }): string;
  }
}
