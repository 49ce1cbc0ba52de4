// All that happened, of all apps.
import { useState } from "preact/hooks";
import { Button, Confirm } from "../parts/controls.tsx";
import { Log, Recorder } from "../parts/log.tsx";
import { act, useStore } from "../store.ts";

export function LogPage() {
  const store = useStore();
  const [clearing, setClearing] = useState(false);
  const clear = () => act("Clearing the log", async () => {
    await store.api.delete("/v1/log");
    store.forgetEvents();
    return "The recorded events are deleted";
  });
  return (
    <section aria-labelledby="log">
      <div class="heading"><h1 id="log">Log</h1><Recorder /><Button onClick={() => setClearing(true)}>Clear…</Button></div>
      {!store.state.recording?.on && <p class="hint">Events of background sync are kept while they are recorded, for three days at most. Runs, console lines and reports are those since the daemon was started.</p>}
      <Log lines={store.lines} withOrigin />
      {clearing && <Confirm title="Delete the recorded events?" action="Delete" onConfirm={clear} onClose={() => setClearing(false)}><p>The recorded events of all apps are deleted. Registrations stay.</p></Confirm>}
    </section>
  );
}
