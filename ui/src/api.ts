// The way to the daemon: calls of the local API with the token.
const kStored = "vigil-token";

// The token comes once, behind the # of the address that `vigil panel` prints: it is taken out of the address bar before
// anything else happens, and lives as long as the tab.
export function takeToken(): string {
  const given = /^#token=([0-9a-f]+)$/.exec(location.hash)?.[1];
  if (given !== undefined) {
    sessionStorage.setItem(kStored, given);
    history.replaceState(null, "", `${location.pathname}#/`);
  }
  return sessionStorage.getItem(kStored) ?? "";
}

export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export class Api {
  readonly #token: string;
  constructor(token: string) {
    this.#token = token;
  }

  get<T>(path: string): Promise<T> {
    return this.#call("GET", path);
  }
  post<T>(path: string, body: object): Promise<T> {
    return this.#call("POST", path, body);
  }
  delete<T>(path: string): Promise<T> {
    return this.#call("DELETE", path);
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#request(method, path, body);
    const text = await response.text();
    // A stream's last line is its answer.
    const answer = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "null");
    if (answer?.error !== undefined) throw new Refused(answer.error.code, answer.error.message);
    return answer;
  }

  #request(method: string, path: string, body?: object): Promise<Response> {
    return fetch(path, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" },
      credentials: "omit",
      cache: "no-store",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

export const query = (path: string, parameters: Record<string, string>) => `${path}?${new URLSearchParams(parameters)}`;
