// Private memory of processes, as the kernel counts it.
import { readFileSync } from 'node:fs';
import { childrenOf } from '../tests/e2e/support/processes.mjs';

export function descendantsOf(pid) {
  return childrenOf(pid).flatMap(child => [child, ...descendantsOf(child)]);
}

export function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
  } catch {
    return '';
  }
}

// The sum of these fields of the process's memory, in kB; 0 when it has ended.
function memoryKb(pid, names) {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return sum(names.map(name => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)));
  } catch {
    return 0;
  }
}

// kB that this process shares with nobody.
export function privateKb(pid) {
  return memoryKb(pid, ['Private_Clean', 'Private_Dirty']);
}

// kB of this process, each shared page divided by the number of those that share it.
export function proportionalKb(pid) {
  return memoryKb(pid, ['Pss']);
}

export const sum = values => values.reduce((total, value) => total + value, 0);
