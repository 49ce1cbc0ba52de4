// UTF-8 for whatwg-url, which otherwise wants a global TextEncoder while it is being loaded.
import { native } from "./native.ts";

export function utf8Encode(text: string): Uint8Array {
  return native.utf8Encode(text);
}
export function utf8DecodeWithoutBOM(bytes: Uint8Array): string {
  return native.utf8Decode(bytes, false, true);
}
