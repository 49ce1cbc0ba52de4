// All that the panel knows, kept up to date over the WebSocket. Components read it with useStore().
import { useEffect, useState } from "preact/hooks";
import { Api } from "./api.ts";
import type { LogLine, State } from "./types.ts";

export type Connection = "connecting" | "live" | "lost" | "refused";

const kKeptLines = 20_000;
const kFirstLines = 10_000;
const kRetryMs = [200, 500, 1000, 2000, 5000];

export class Store {
  readonly api: Api;
  readonly #token: string;
  state: State = { status: null, apps: [], workers: [], syncs: [], pages: [], permissions: [], engagement: [], notifications: [], recording: null };
  lines: LogLine[] = [];
  connection: Connection = "connecting";
  message = "";  // the last thing that was done, for the live region
  #failures = 0;
  #nowUs = 0;
  #heardAt = 0;
  #listeners = new Set<() => void>();
  #scheduled = false;

  constructor(token: string) {
    this.#token = token;
    this.api = new Api(token);
    if (token === "") this.connection = "refused";
    else this.#connect();
  }

  // The daemon's time. A virtual clock stands still between its jumps.
  now(): number {
    const moved = this.state.status?.clock.mode === "virtual" ? 0 : (performance.now() - this.#heardAt) * 1000;
    return this.#nowUs + moved;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  say(message: string) {
    this.message = message;
    this.#changed();
  }

  forgetEvents() {
    this.lines = this.lines.filter((line) => line.type !== "event");
    this.#changed();
  }

  #changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  #connect() {
    const address = new URL("/v1/live", location.href);
    address.protocol = "ws:";
    address.searchParams.set("token", this.#token);
    const socket = new WebSocket(address);
    const early: LogLine[] = [];
    let past = false;
    socket.onopen = () => {
      this.#failures = 0;
      void this.#loadPast(early).finally(() => (past = true));
    };
    socket.onmessage = ({ data }) => {
      const { type, ...line } = JSON.parse(data as string);
      if (type === "state") this.#take(line);
      else if (past) this.#append([{ type, ...line }]);
      else early.push({ type, ...line });
    };
    socket.onclose = () => void this.#lost();
  }

  #take(sections: Partial<State>) {
    Object.assign(this.state, sections);
    if (sections.status) {
      this.#nowUs = sections.status.clock.now_us;
      this.#heardAt = performance.now();
    }
    this.connection = "live";
    this.#changed();
  }

  // What came by socket while the past was being read may be in both.
  async #loadPast(early: LogLine[]) {
    const past = await this.api.get<LogLine[]>(`/v1/log?lines=${kFirstLines}&console=1&runs=1`);
    const known = new Set(early.map((line) => JSON.stringify(line)));
    this.lines = [];
    this.#append([...past.filter((line) => !known.has(JSON.stringify(line))), ...early]);
  }

  #append(lines: LogLine[]) {
    this.lines = [...this.lines, ...lines].slice(-kKeptLines);
    this.#changed();
  }

  async #lost() {
    this.connection = "lost";
    this.#changed();
    // A browser does not say why a handshake failed; an ordinary call does.
    try {
      await this.api.get("/v1/clock");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "permission-denied") {
        this.connection = "refused";
        this.#changed();
        return;
      }
    }
    const wait = kRetryMs[Math.min(this.#failures, kRetryMs.length - 1)];
    this.#failures += 1;
    setTimeout(() => this.#connect(), wait);
  }
}

export let store: Store;
export const openStore = (token: string) => (store = new Store(token));

// Renders the component again whenever something may look different.
export function useStore(): Store {
  const [, count] = useState(0);
  useEffect(() => store.listen(() => count((n) => n + 1)), []);
  return store;
}

// Renders the component again every second.
export function useSeconds(): void {
  const [, count] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => count((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}

// Does something at the daemon and says how it ended, also to screen readers.
export async function act(what: string, call: () => Promise<unknown>): Promise<void> {
  try {
    const answer = await call();
    store.say(typeof answer === "string" ? answer : `${what}: done`);
  } catch (error) {
    store.say(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
