// Registrations: what each waits for, and the buttons that send its event.
import { useState } from "preact/hooks";
import { duration } from "../format.ts";
import { act, store } from "../store.ts";
import { isRunning } from "../summary.ts";
import type { Sync, SyncKind } from "../types.ts";
import { Button, Countdown, Said, Table } from "./controls.tsx";

const kPerPage = 100;

export function fire(scope: string, kind: SyncKind, tag: string, lastChance: boolean, anyTag = false) {
  const body = { url: scope, kind, tag, last_chance: lastChance, any_tag: anyTag };
  return act(`Sending ${kind} “${tag}”`, async () => {
    const { outcome, text } = await store.api.post<{ outcome: string; text: string }>("/v1/fire", body);
    return `${kind} “${tag}”: ${outcome}${text ? ` (${text})` : ""}`;
  });
}

function tone(sync: Sync): string {
  if (isRunning(sync)) return "good";
  return ["waiting-for-period", "other-origin-ran", "ready"].includes(sync.reason) ? "quiet" : "warning";
}

function Row({ sync, withApp }: { sync: Sync; withApp: boolean }) {
  const once = sync.kind === "sync";
  return (
    <tr role="row">
      <th role="rowheader" scope="row">
        <Said text={sync.tag} most={60} />
        {withApp && <a class="of" href={`#/app/${encodeURIComponent(sync.scope)}`}><Said text={sync.scope} most={60} /></a>}
      </th>
      <td role="cell" data-label="Runs">{once ? "once" : `every ${duration((sync.min_interval_ms ?? 0) * 1000)} or more`}</td>
      <td role="cell" data-label="State"><span class={`chip ${tone(sync)}`}>{sync.state}</span></td>
      <td role="cell" class="why"><Said text={sync.explanation} /></td>
      <td role="cell" data-label="Attempts">{sync.attempts} of {sync.max_attempts}</td>
      <td role="cell" data-label="Next">{sync.next_time_us === null ? "–" : <Countdown to={sync.next_time_us} />}</td>
      <td role="cell" class="actions">
        <Button label={`Send ${sync.kind} ${sync.tag} now`} onClick={() => fire(sync.scope, sync.kind, sync.tag, false)}>Send</Button>
        {once && <Button label={`Send ${sync.kind} ${sync.tag} as its last chance`} onClick={() => fire(sync.scope, sync.kind, sync.tag, true)}>Last chance</Button>}
      </td>
    </tr>
  );
}

export function Syncs({ syncs, caption, withApp = false }: { syncs: Sync[]; caption: string; withApp?: boolean }) {
  const [shown, setShown] = useState(kPerPage);
  return (
    <>
      <Table name="syncs" caption={caption} headings={["Tag", "Runs", "State", "Why", "Attempts", "Next", "Send now"]}>
        {syncs.slice(0, shown).map((sync) => <Row key={`${sync.registration_id} ${sync.kind} ${sync.tag}`} sync={sync} withApp={withApp} />)}
      </Table>
      {syncs.length > shown && <Button onClick={() => setShown(shown + kPerPage)}>Show more of {syncs.length}</Button>}
    </>
  );
}
