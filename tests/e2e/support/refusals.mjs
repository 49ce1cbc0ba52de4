// How a command refuses: one line on stderr, an exit status of its own, nothing on stdout.
import assert from 'node:assert/strict';

export async function assertRefused(process, pattern, status = 1) {
  const ended = await process;
  assert.equal(ended.status, status, `${ended.name}: exit status ${ended.status}\n${ended.text()}`);
  const lines = ended.lines('stderr').filter(line => line.trim() !== '');
  assert.equal(lines.length, 1, `${ended.name}: not one line\n${ended.text()}`);
  assert.match(lines[0], pattern);
  return lines[0];
}
