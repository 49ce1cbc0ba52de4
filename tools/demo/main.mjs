// make demo: plays the two stories on real processes (daemon, worker processes, app servers) and checks every sentence
// against the server's own record and the daemon's --json. Ends with status 1 if one is not true.
import { AppServer } from '../../tests/e2e/support/app-server.mjs';
import { Vigil } from '../../tests/e2e/support/vigil.mjs';
import { periodicFeed } from './periodic-feed.mjs';
import { publishWhileOffline } from './publish-while-offline.mjs';
import { retries } from './retries.mjs';
import { Stage, UntrueError } from './stage.mjs';
import { workbox } from './workbox.mjs';

const kVirtual = ['--clock', 'virtual', '--network', 'manual'];

async function play(stage) {
  const [first, second, third, queue] = await Promise.all([
    AppServer.start(), AppServer.start(), AppServer.start(), AppServer.start('workbox-queue'),
  ]);
  const vigil = await Vigil.start({ options: ['--network', 'manual'] });
  const { firstRequestMs } = await publishWhileOffline(stage, { vigil, server: first });

  const patient = await Vigil.start({ options: kVirtual });
  await retries(stage, { vigil: patient, server: second });
  await patient.stop();

  const daily = await Vigil.start({ options: kVirtual });
  await periodicFeed(stage, { vigil: daily, server: third });
  await daily.stop();

  await workbox(stage, { vigil, server: queue });
  await vigil.stop();
  await Promise.all([first, second, third, queue].map(server => server.stop()));
  return firstRequestMs;
}

const stage = new Stage();
const started = performance.now();
try {
  const firstRequestMs = await play(stage);
  console.log(`\nProved, ${stage.proofs.length} statements, each against the server's own record or the daemon's --json:\n`);
  for (const proof of stage.proofs) console.log(`  ${proof}`);
  console.log(`\nFrom the command "vigil network online" to the first request at the server: ${firstRequestMs.toFixed(1)} ms (the command's own start included).`);
  console.log(`The demo took ${((performance.now() - started) / 1000).toFixed(1)} s.`);
} catch (error) {
  console.error(`\ndemo: ${error instanceof UntrueError ? error.message : error.stack}`);
  process.exitCode = 1;
}
// Nothing may outlive the demo: leaving ends what is still running and removes the temporary folders.
process.exit();
