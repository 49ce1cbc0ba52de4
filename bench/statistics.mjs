// Small statistics on lists of numbers.
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}
export const median = values => percentile(values, 0.5);
export const round = value => Number(value.toPrecision(4));
export const monotonicUs = () => Number(process.hrtime.bigint() / 1000n);
