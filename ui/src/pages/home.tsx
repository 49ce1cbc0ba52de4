// At a glance: is everything synced, and if not, why?
import { Empty, Said } from "../parts/controls.tsx";
import { Line } from "../parts/log.tsx";
import { Syncs } from "../parts/syncs.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { useStore } from "../store.ts";
import { appsOf, explainAll, type App, type Summary } from "../summary.ts";
import type { Sync } from "../types.ts";

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

function headline({ waiting, running }: Summary): string {
  if (waiting.length > 0) return plural(waiting.length, "sync is waiting", "syncs are waiting");
  return running.length > 0 ? plural(running.length, "sync is running", "syncs are running") : "Everything is synced";
}

function Glance({ summary, total }: { summary: Summary; total: number }) {
  const good = summary.waiting.length === 0;
  return (
    <section class={`glance ${good ? "good" : "warning"}`} aria-labelledby="glance">
      <span class="badge" aria-hidden="true">{good ? "✓" : "!"}</span>
      <div>
        <h1 id="glance" aria-live="polite">{headline(summary)}</h1>
        {good && <p>{total === 0 ? "No app has asked for a sync." : `${plural(total, "registration", "registrations")}: none has work left to do.`}</p>}
        {!good && (
          <ul class="reasons">
            {summary.reasons.slice(0, 4).map(({ reason, syncs }) => <li key={reason}><strong>{syncs.length}</strong> <Said text={syncs[0]?.explanation ?? reason} /></li>)}
          </ul>
        )}
      </div>
    </section>
  );
}

function Card({ app, syncs }: { app: App; syncs: Sync[] }) {
  const { waiting, running } = explainAll(syncs);
  const state = waiting.length > 0 ? `${waiting.length} waiting` : running.length > 0 ? "running" : "synced";
  return (
    <li>
      <a class="card" href={`#/app/${encodeURIComponent(app.scope)}`}>
        <strong class="name"><Said text={app.name} most={60} /></strong>
        <span class="scope"><Said text={app.scope} most={80} /></span>
        <span class="row">
          <span class={`chip ${waiting.length > 0 ? "warning" : "good"}`}>{state}</span>
          <span class="chip quiet">{app.installed ? "installed" : "not installed"}</span>
          <span class="chip quiet">worker {app.registration?.active?.running ?? "missing"}</span>
        </span>
      </a>
    </li>
  );
}

function Apps({ apps, syncs }: { apps: App[]; syncs: Sync[] }) {
  if (apps.length > 0) return <ul class="cards">{apps.map((app) => <Card key={app.scope} app={app} syncs={syncs.filter((sync) => sync.scope === app.scope)} />)}</ul>;
  return (
    <Empty title="No app is known yet.">
      <p>Install one by the address of a page: <code>vigil install https://shop.example/</code></p>
      <p>It appears here at once, with what it has registered.</p>
    </Empty>
  );
}

export function Home() {
  const { state, lines } = useStore();
  const summary = explainAll(state.syncs);
  const attention = [...summary.running, ...summary.waiting];
  const recent = lines.filter((line) => line.type !== "console").slice(-8).reverse();
  return (
    <>
      <Glance summary={summary} total={state.syncs.length} />
      {attention.length > 0 && <section aria-labelledby="waiting"><h2 id="waiting">What waits, and for what</h2><Syncs syncs={attention} caption="Registrations that run or wait" withApp /></section>}
      <section aria-labelledby="apps"><h2 id="apps">Apps</h2><Apps apps={appsOf(state)} syncs={state.syncs} /></section>
      <section aria-labelledby="time"><h2 id="time">Time line</h2><Timeline lines={lines} syncs={state.syncs} /></section>
      <section aria-labelledby="recent">
        <h2 id="recent">What happened last</h2>
        {recent.length === 0 ? <p class="quiet">Nothing yet. Events appear here as they run.</p> : <ol class="log" aria-label="Latest events, youngest first">{recent.map((line, i) => <Line key={`${line.at_us} ${lines.length - i}`} line={line} withOrigin />)}</ol>}
      </section>
    </>
  );
}
