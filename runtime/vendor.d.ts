// Types of the packages that ship none, as far as they are used here.
declare module "whatwg-url" {
  export class URLSearchParams {
    constructor(init?: unknown);
    append(name: string, value: string): void;
    toString(): string;
    [Symbol.iterator](): IterableIterator<[string, string]>;
  }
  export class URL {
    constructor(url: string, base?: string);
    static parse(url: string, base?: string): URL | null;
    static canParse(url: string, base?: string): boolean;
    href: string;
    readonly origin: string;
    protocol: string;
    username: string;
    password: string;
    host: string;
    hostname: string;
    port: string;
    pathname: string;
    search: string;
    hash: string;
    readonly searchParams: URLSearchParams;
  }
}
declare module "@exodus/bytes/encoding.js" {
  export function normalizeEncoding(label: string): string | null;
  export class TextDecoder {
    constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
    decode(bytes: Uint8Array, options: { stream: boolean }): string;
  }
}
