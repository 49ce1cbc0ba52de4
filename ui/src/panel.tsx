// The frame around every page: heading, navigation, network, clock, and what was done last.
import { useEffect, useRef, useState } from "preact/hooks";
import { AppPage } from "./pages/app.tsx";
import { Engagements } from "./pages/engagement.tsx";
import { Home } from "./pages/home.tsx";
import { LogPage } from "./pages/log.tsx";
import { Button } from "./parts/controls.tsx";
import { dayAndTime } from "./format.ts";
import { act, useStore } from "./store.ts";
import type { NetworkMode } from "./types.ts";

const kPages = [
  { path: "/", title: "Home" },
  { path: "/log", title: "Log" },
  { path: "/engagement", title: "Engagement" },
];

function usePath(): string {
  const read = () => location.hash.slice(1) || "/";
  const [path, set] = useState(read());
  useEffect(() => {
    const changed = () => set(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return path;
}

const kConnections = { connecting: "Connecting…", live: "Live", lost: "Disconnected", refused: "Not allowed" };

function Network() {
  const { state, api } = useStore();
  if (state.status === null) return null;
  const { mode, online } = state.status.network;
  const set = (to: NetworkMode) => act(to === "auto" ? "Network follows the machine" : `Network ${to}`, () => api.post("/v1/network", { mode: to }));
  return (
    <fieldset class="switch">
      <legend>Network: <strong class={online ? "good" : "warning"}>{online ? "online" : "offline"}</strong></legend>
      {(["auto", "online", "offline"] as const).map((to) => (
        <button key={to} type="button" aria-pressed={mode === to} onClick={() => set(to)}>{to === "auto" ? "Auto" : to === "online" ? "Online" : "Offline"}</button>
      ))}
    </fieldset>
  );
}

function VirtualClock() {
  const store = useStore();
  const [by, setBy] = useState("12h");
  if (store.state.status?.clock.mode !== "virtual") return null;
  const advance = () => act(`Clock advanced by ${by}`, () => store.api.post("/v1/clock/advance", { by }));
  return (
    <form class="clock" onSubmit={(event) => { event.preventDefault(); void advance(); }}>
      <span>Virtual clock: <time>{dayAndTime(store.now())}</time></span>
      <label>Advance by <input size={5} value={by} onInput={(event) => setBy(event.currentTarget.value)} /></label>
      <button type="submit">Advance</button>
    </form>
  );
}

function NotAllowed() {
  return (
    <section class="empty">
      <h1>Open the panel with <code>vigil panel</code></h1>
      <p>This tab does not know the token of the daemon. The command prints an address that has it; <code>vigil panel --open</code> opens it.</p>
    </section>
  );
}

function Lost() {
  return (
    <div class="banner" role="alert">
      Disconnected from the daemon: what is shown is the state before. Trying again… If it was started again, run <code>vigil panel</code> for its new address.
    </div>
  );
}

function Damage() {
  const { state } = useStore();
  if (state.status === null || (state.status.store.ok && state.status.store.damaged.length === 0)) return null;
  const { ok, message, damaged } = state.status.store;
  return <div class="banner" role="alert">{ok ? `Damaged files were set aside: ${damaged.join(", ")}. See docs/durability.md.` : `Registrations cannot be stored at present: ${message}`}</div>;
}

function Content({ path }: { path: string }) {
  if (path.startsWith("/app/")) return <AppPage scope={decodeURIComponent(path.slice(5))} />;
  if (path === "/log") return <LogPage />;
  if (path === "/engagement") return <Engagements />;
  return <Home />;
}

export function Panel() {
  const store = useStore();
  const path = usePath();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // The reader of a new page starts at its top.
    if (!first.current) main.current?.focus();
    first.current = false;
    scrollTo(0, 0);
  }, [path]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to content</a>
      <header>
        <a class="brand" href="#/"><span class="mark" aria-hidden="true" />Vigil</a>
        <nav aria-label="Pages">
          {kPages.map(({ path: to, title }) => <a key={to} href={`#${to}`} aria-current={path === to ? "page" : undefined}>{title}</a>)}
        </nav>
        <span class={`connection ${store.connection}`}>{kConnections[store.connection]}</span>
      </header>
      {store.connection === "lost" && <Lost />}
      <Damage />
      <main id="main" ref={main} tabIndex={-1}>
        {store.connection === "refused" ? <NotAllowed /> : store.state.status === null ? <p class="quiet">Connecting…</p> : (
          <>
            <div class="world"><Network /><VirtualClock /></div>
            <Content path={path} />
          </>
        )}
      </main>
      <footer>
        {store.state.status && <span>Vigil {store.state.status.version}, process {store.state.status.pid}, <span class="path">{store.state.status.data_directory}</span></span>}
        <a href="/licenses.md">Licenses</a>
      </footer>
      <div class="toast" role="status" aria-live="polite">
        {store.message && <><span>{store.message}</span><Button kind="plain" onClick={() => store.say("")}>Dismiss</Button></>}
      </div>
    </>
  );
}
