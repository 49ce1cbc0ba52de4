// One app: everything that is known of it, and everything that can be done to it.
import { useEffect, useState } from "preact/hooks";
import { bytes, dayAndTime } from "../format.ts";
import { Address, Ago, Button, Confirm, Empty, Said } from "../parts/controls.tsx";
import { Log, Recorder } from "../parts/log.tsx";
import { Syncs, fire } from "../parts/syncs.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { query } from "../api.ts";
import { act, store, useStore } from "../store.ts";
import { appsOf, type App } from "../summary.ts";
import type { EngagementChange, KnownNetwork, Setting, StorageUse, SyncKind } from "../types.ts";
import { Score, gapText } from "./engagement.tsx";

// What is asked for by itself, and again whenever `again` is another value.
function useAnswer<T>(path: string, again: unknown): T | null {
  const [answer, set] = useState<T | null>(null);
  useEffect(() => {
    let wanted = true;
    store.api.get<T>(path).then((value) => wanted && set(value), () => {});
    return () => void (wanted = false);
  }, [path, again]);
  return answer;
}

function Worker({ app }: { app: App }) {
  const { registration } = app;
  if (registration === null) return <p class="quiet">It has no service worker: open a page of it.</p>;
  const order = (action: string, said: string) => act(said, () => store.api.post(`/v1/workers/${action}`, { url: app.scope }));
  const versions = (["installing", "waiting", "active"] as const).flatMap((slot) => registration[slot] ?? []);
  return (
    <>
      <ul class="facts">
        {versions.map((worker) => <li key={worker.version_id}><span class={`chip ${worker.running === "running" ? "good" : "quiet"}`}>{worker.state}, {worker.running}</span> <Address url={worker.script_url} />{worker.pid !== undefined && <span class="quiet"> process {worker.pid}</span>}</li>)}
      </ul>
      <div class="actions">
        <Button onClick={() => order("start", "Worker started")}>Start</Button>
        <Button onClick={() => order("stop", "Worker stopped")}>Stop</Button>
        <Button onClick={() => order("update", "Script looked for")}>Update</Button>
      </div>
    </>
  );
}

function SendForm({ scope }: { scope: string }) {
  const [kind, setKind] = useState<SyncKind>("sync");
  const [tag, setTag] = useState("");
  const [last, setLast] = useState(false);
  return (
    <form class="tools" onSubmit={(event) => { event.preventDefault(); void fire(scope, kind, tag, last && kind === "sync", true); }}>
      <label>Event <select value={kind} onChange={(event) => setKind(event.currentTarget.value as SyncKind)}><option>sync</option><option>periodicsync</option></select></label>
      <label>Tag <input value={tag} onInput={(event) => setTag(event.currentTarget.value)} /></label>
      <label class="check"><input type="checkbox" checked={last} disabled={kind !== "sync"} onChange={(event) => setLast(event.currentTarget.checked)} /> last chance</label>
      <button type="submit" class="plain">Send any tag</button>
    </form>
  );
}

function Permissions({ origin }: { origin: string }) {
  const list = store.state.permissions.filter((permission) => permission.origin === origin);
  const set = (name: string, setting: Setting) => act(`${name}: ${setting}`, () => store.api.post("/v1/permissions", { url: origin, name, setting }));
  return (
    <>
      {list.map(({ name, state, setting }) => (
        <fieldset class="switch" key={name}>
          <legend>{name}: <strong class={state === "denied" ? "warning" : state === "granted" ? "good" : ""}>{state}</strong></legend>
          {(["allow", "deny", "default"] as const).map((to) => <button key={to} type="button" aria-pressed={setting === to} onClick={() => void set(name, to)}>{to}</button>)}
        </fieldset>
      ))}
    </>
  );
}

function EngagementOf({ origin }: { origin: string }) {
  const now = store.state.engagement.find((item) => item.origin === origin);
  const history = useAnswer<EngagementChange[]>(query("/v1/engagement/history", { url: origin }), `${now?.last_engagement_us} ${now?.last_launch_us}`);
  if (now === undefined) return <p class="quiet">Not used yet, so periodic sync does not run. <code>vigil page open</code> opens a page of it.</p>;
  return (
    <>
      <p><Score score={now.score} /> · {now.level} · periodic sync {gapText(now.periodic_gap_ms)} · {now.points_today.toFixed(1)} points today</p>
      {history !== null && history.length > 0 && (
        <ol class="log" aria-label="What raised the score, youngest first">
          {[...history].reverse().slice(0, 10).map((change, i) => <li key={`${change.at_us} ${i}`} class={change.points > 0 ? "good" : "quiet"}><time title={dayAndTime(change.at_us)}><Ago at={change.at_us} /></time><span class="type">{change.cause}</span><span class="text">+{change.points.toFixed(1)} → {change.score.toFixed(1)}</span></li>)}
        </ol>
      )}
    </>
  );
}

function Networks({ origin }: { origin: string }) {
  const list = useAnswer<KnownNetwork[]>(query("/v1/networks", { url: origin }), `${store.state.status?.network.network_id} ${store.state.pages.length}`);
  if (list === null) return null;
  if (list.length === 0) return <p class="quiet">None yet: periodic sync waits until its user opens the app on a network.</p>;
  return <ul class="facts">{list.map((network) => <li key={network.network_id}><Said text={network.network_id === "" ? "network without a name" : network.network_id} most={60} />{network.current && <span class="chip good">present</span>}{network.last_used_us !== null && <span class="quiet"> used <Ago at={network.last_used_us} /></span>}</li>)}</ul>;
}

function Storage({ origin, again }: { origin: string; again: unknown }) {
  const use = useAnswer<StorageUse>(query("/v1/storage", { url: origin }), again);
  if (use === null) return null;
  return (
    <p>
      <meter min={0} max={use.quota_bytes} value={use.usage_bytes} aria-label="Share of the quota" /> {bytes(use.usage_bytes)} of {bytes(use.quota_bytes)}
      <span class="quiet"> · IndexedDB {bytes(use.indexed_db_bytes)}, caches {bytes(use.caches_bytes)}</span>
    </p>
  );
}

function Notifications({ app }: { app: App }) {
  const list = store.state.notifications.filter((notification) => notification.registration_id === app.registration?.id);
  const click = (id: string, action: string) => act("Notification clicked", () => store.api.post(`/v1/notifications/${encodeURIComponent(id)}/click`, { action }));
  const close = (id: string) => act("Notification closed", () => store.api.delete(`/v1/notifications/${encodeURIComponent(id)}`));
  if (list.length === 0) return <p class="quiet">None is shown.</p>;
  return (
    <ul class="facts">
      {list.map(({ id, title, body, options }) => (
        <li key={id}>
          <strong><Said text={title} most={80} /></strong> {body !== "" && <Said text={body} most={200} />}
          <span class="actions">
            <Button label={`Click notification ${title}`} onClick={() => click(id, "")}>Click</Button>
            {(options.actions ?? []).map(({ action, title: name }) => <Button key={action} onClick={() => click(id, action)}><Said text={name} most={30} /></Button>)}
            <Button label={`Close notification ${title}`} onClick={() => close(id)}>Close</Button>
          </span>
        </li>
      ))}
    </ul>
  );
}

const kDeeds = {
  unregister: { title: "Unregister the service worker?", action: "Unregister", text: "Its registrations go with it. The app's data stays." },
  clear: { title: "Delete all data of this origin?", action: "Delete", text: "Databases, caches, cookies, notifications, service workers and their syncs are deleted. Permissions stay." },
  remove: { title: "Remove the app?", action: "Remove", text: "Its service worker and its syncs go with it. What its scripts stored stays." },
};
type Deed = keyof typeof kDeeds;

function Dangers({ app }: { app: App }) {
  const [deed, setDeed] = useState<Deed | null>(null);
  const deeds: Record<Deed, () => Promise<unknown>> = {
    unregister: () => store.api.post("/v1/workers/unregister", { url: app.scope }),
    clear: () => store.api.delete(query("/v1/storage", { url: app.origin })),
    remove: () => store.api.delete(query("/v1/apps", { url: app.scope })),
  };
  return (
    <div class="actions">
      {app.registration !== null && <Button kind="danger" onClick={() => setDeed("unregister")}>Unregister…</Button>}
      {app.installed !== null && <Button kind="danger" onClick={() => setDeed("remove")}>Remove app…</Button>}
      <Button kind="danger" onClick={() => setDeed("clear")}>Clear data…</Button>
      {deed !== null && (
        <Confirm title={kDeeds[deed].title} action={kDeeds[deed].action} onConfirm={() => act(kDeeds[deed].action, deeds[deed])} onClose={() => setDeed(null)}>
          <p><Said text={deed === "clear" ? app.origin : app.scope} /></p>
          <p>{kDeeds[deed].text}</p>
        </Confirm>
      )}
    </div>
  );
}

export function AppPage({ scope }: { scope: string }) {
  const { state, lines } = useStore();
  const app = appsOf(state).find((one) => one.scope === scope);
  if (app === undefined) return <Empty title="This app is not there any more."><p><a href="#/">Back to all apps</a></p></Empty>;
  const syncs = state.syncs.filter((sync) => sync.scope === scope);
  const own = lines.filter((line) => line.origin === app.origin);
  return (
    <>
      <h1><Said text={app.name} most={80} /></h1>
      <p><Address url={app.installed?.start_url ?? app.scope} /> <span class="chip quiet">{app.installed ? "installed" : "not installed"}</span></p>
      <section aria-labelledby="syncs">
        <h2 id="syncs">Registrations</h2>
        {syncs.length === 0 ? <p class="quiet">None: its pages register with <code>registration.sync.register(tag)</code>.</p> : <Syncs syncs={syncs} caption="Registrations of this app" />}
        {app.registration !== null && <SendForm scope={scope} />}
      </section>
      <section aria-labelledby="time"><h2 id="time">Time line</h2><Timeline lines={own} syncs={syncs} /></section>
      <div class="columns">
        <section aria-labelledby="worker"><h2 id="worker">Service worker</h2><Worker app={app} /></section>
        <section aria-labelledby="permissions"><h2 id="permissions">Permissions</h2><Permissions origin={app.origin} /></section>
        <section aria-labelledby="use"><h2 id="use">Engagement</h2><EngagementOf origin={app.origin} /></section>
        <section aria-labelledby="networks"><h2 id="networks">Known networks</h2><Networks origin={app.origin} /></section>
        <section aria-labelledby="storage"><h2 id="storage">Storage</h2><Storage origin={app.origin} again={own.length} /></section>
        <section aria-labelledby="notifications"><h2 id="notifications">Notifications</h2><Notifications app={app} /></section>
      </div>
      <section aria-labelledby="log"><div class="heading"><h2 id="log">Log</h2><Recorder /></div><Log lines={own} /></section>
      <section aria-labelledby="dangers"><h2 id="dangers">What cannot be undone</h2><Dangers app={app} /></section>
    </>
  );
}
