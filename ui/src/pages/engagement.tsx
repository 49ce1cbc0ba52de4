// How much apps are used, as about://site-engagement shows it, and what that means for periodic sync.
import { duration } from "../format.ts";
import { Ago, Empty, Said, Table } from "../parts/controls.tsx";
import { useStore } from "../store.ts";

export function Score({ score }: { score: number }) {
  return <><meter min={0} max={100} value={score} aria-label={`Score ${score.toFixed(1)} of 100`} /> {score.toFixed(1)}</>;
}
export const gapText = (ms: number) => (ms === 0 ? "never" : `every ${duration(ms * 1000)}`);

export function Engagements() {
  const { state } = useStore();
  const list = [...state.engagement].sort((a, b) => b.score - a.score);
  return (
    <section aria-labelledby="engagement">
      <h1 id="engagement">Site engagement</h1>
      <p class="hint">The score grows when an app is opened and used, and decays with time. It decides how often periodic sync may run.</p>
      {list.length === 0 ? (
        <Empty title="No app has been used yet."><p>Open a page of an app: <code>vigil page open https://shop.example/</code></p></Empty>
      ) : (
        <Table name="engagement" caption="Engagement by origin" headings={["Origin", "Score", "Level", "Periodic sync", "Last used"]}>
          {list.map((item) => (
            <tr role="row" key={item.origin}>
              <th role="rowheader" scope="row"><Said text={item.origin} most={80} /></th>
              <td role="cell" data-label="Score"><Score score={item.score} /></td>
              <td role="cell" data-label="Level">{item.level}</td>
              <td role="cell" data-label="Periodic sync">{gapText(item.periodic_gap_ms)}</td>
              <td role="cell" data-label="Last used">{item.last_engagement_us === null ? "–" : <Ago at={item.last_engagement_us} />}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}
