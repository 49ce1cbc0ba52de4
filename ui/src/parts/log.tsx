// The log with filter and export.
import { useMemo, useState } from "preact/hooks";
import { clockTime, csv, dayAndTime, lineText, lineTone } from "../format.ts";
import { act, store } from "../store.ts";
import type { LogLine } from "../types.ts";
import { Button, Said } from "./controls.tsx";

const kPerPage = 200;
const kKinds = [
  { value: "", title: "Everything" },
  { value: "event", title: "Recorded events" },
  { value: "run", title: "Runs" },
  { value: "console", title: "Console" },
  { value: "report", title: "Reports" },
];

function save(name: string, type: string, text: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function Line({ line, withOrigin }: { line: LogLine; withOrigin: boolean }) {
  return (
    <li class={lineTone(line)}>
      <time title={dayAndTime(line.at_us)} dateTime={line.at}>{clockTime(line.at_us)}</time>
      <span class="type">{line.level ?? line.type}</span>
      <span class="text">{withOrigin && line.origin !== "" && <span class="of"><Said text={line.origin} most={50} /></span>}<Said text={lineText(line)} most={1000} /></span>
    </li>
  );
}

export function Log({ lines, withOrigin = false }: { lines: LogLine[]; withOrigin?: boolean }) {
  const [kind, setKind] = useState("");
  const [text, setText] = useState("");
  const [shown, setShown] = useState(kPerPage);
  const matching = useMemo(() => {
    const wanted = text.toLowerCase();
    const fits = (line: LogLine) => (kind === "" || line.type === kind) && (wanted === "" || `${line.origin} ${lineText(line)}`.toLowerCase().includes(wanted));
    return lines.filter(fits);
  }, [lines, kind, text]);
  const youngest = matching.slice(-shown).reverse();
  return (
    <>
      <div class="tools">
        <label>Show <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>{kKinds.map(({ value, title }) => <option key={value} value={value}>{title}</option>)}</select></label>
        <label>Filter <input type="search" value={text} placeholder="tag, text, origin" onInput={(event) => setText(event.currentTarget.value)} /></label>
        <Button onClick={() => save("vigil-log.json", "application/json", JSON.stringify(matching, null, 1))}>Export JSON</Button>
        <Button onClick={() => save("vigil-log.csv", "text/csv", csv(matching))}>Export CSV</Button>
      </div>
      {matching.length === 0 ? (
        <p class="quiet">{lines.length === 0 ? "Nothing has happened yet." : "No line fits the filter."}</p>
      ) : (
        <ol class="log" aria-label="Log, youngest first">{youngest.map((line, i) => <Line key={`${line.at_us} ${matching.length - i}`} line={line} withOrigin={withOrigin} />)}</ol>
      )}
      {matching.length > shown && <Button onClick={() => setShown(shown + kPerPage)}>Show older ones of {matching.length}</Button>}
    </>
  );
}

export function Recorder() {
  const on = store.state.recording?.on ?? false;
  const toggle = () => act("Recording", async () => {
    await store.api.post("/v1/record", { on: !on });
    return on ? "Nothing is recorded any more" : "Events are recorded, for three days at most";
  });
  return <button type="button" class="plain record" aria-pressed={on} onClick={() => void toggle()}>Record events</button>;
}
