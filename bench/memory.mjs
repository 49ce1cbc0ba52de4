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

// kB that this process shares with nobody; 0 when it has ended.
export function privateKb(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const field = name => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return field('Private_Clean') + field('Private_Dirty');
  } catch {
    return 0;
  }
}

export const sum = values => values.reduce((total, value) => total + value, 0);
