// Past and planned events on one line of time. The list below it says what is planned to who cannot see it.
import { dayAndTime, duration, lineText, lineTone, visible } from "../format.ts";
import { store, useSeconds } from "../store.ts";
import { planned } from "../summary.ts";
import type { LogLine, Sync } from "../types.ts";
import { Countdown, Said } from "./controls.tsx";

const kWidth = 1000;
const kNow = 500; // where the present is
const kMost = 400; // marks on each side
const kLeast = 60e6;
const kHeights = [30, 42, 54, 66];
const kSpans = [60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86400, 3 * 86400, 7 * 86400, 30 * 86400].map((seconds) => seconds * 1e6);

// Left of the present is what was, right of it what is planned; each side is as long as it needs to be.
const spanFor = (farthest: number) => kSpans.find((span) => span >= Math.max(kLeast, farthest)) ?? farthest;

function Mark({ at, tone, index, text }: { at: number; tone: string; index: number; text: string }) {
  return <line class={`mark ${tone}`} x1={at} x2={at} y1={kHeights[index % kHeights.length]} y2="82"><title>{text}</title></line>;
}

export function Timeline({ lines, syncs }: { lines: LogLine[]; syncs: Sync[] }) {
  useSeconds();
  const now = store.now();
  const past = lines.filter((line) => line.type === "run" || line.type === "event").slice(-kMost);
  const future = planned(syncs).slice(0, kMost);
  if (past.length === 0 && future.length === 0) return <p class="quiet">No event has run yet, and none is planned for a certain time.</p>;
  const before = spanFor(now - (past[0]?.at_us ?? now));
  const after = spanFor((future.at(-1)?.next_time_us ?? now) - now);
  const x = (at: number) => (at <= now ? kNow - ((now - at) / before) * kNow : kNow + Math.min(1, (at - now) / after) * kNow);
  return (
    <figure class="timeline">
      <svg viewBox={`0 0 ${kWidth} 100`} preserveAspectRatio="none" aria-hidden="true">
        <rect class="past" x="0" y="14" width={kNow} height="68" />
        <line class="axis" x1="0" x2={kWidth} y1="82" y2="82" />
        {past.map((line, i) => <Mark key={`p${i}`} at={x(line.at_us)} tone={lineTone(line)} index={i} text={`${dayAndTime(line.at_us)} ${visible(lineText(line))}`} />)}
        {future.map((sync, i) => <Mark key={`f${i}`} at={x(sync.next_time_us ?? now)} tone="planned" index={i} text={`${dayAndTime(sync.next_time_us ?? now)} ${sync.kind} ${visible(sync.tag)}`} />)}
        <line class="now" x1={kNow} x2={kNow} y1="8" y2="90" />
      </svg>
      <div class="ticks" aria-hidden="true"><span>{duration(before)} ago</span><span>now</span><span>in {duration(after)}</span></div>
      <figcaption>{past.length} past {past.length === 1 ? "event" : "events"}, {future.length} planned</figcaption>
      {future.length > 0 && (
        <ul class="plan" aria-label="Planned events">
          {future.slice(0, 5).map((sync) => <li key={`${sync.registration_id} ${sync.kind} ${sync.tag}`}><span>{sync.kind} <Said text={sync.tag} most={40} /></span> <Countdown to={sync.next_time_us ?? now} /></li>)}
        </ul>
      )}
    </figure>
  );
}
