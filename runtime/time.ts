// High Resolution Time: where a scope's time begins, and the clock that its scripts read.
import { native } from "./native.ts";

export const timeOrigin = { monoMs: 0, wallMs: 0 };
// Called by start(): the scope's life begins.
export function beginTime(): void {
  timeOrigin.monoMs = native.monoNowMs();
  timeOrigin.wallMs = native.wallNowMs();
}

// §7 "coarsen time": steps of 100 µs, as scopes have it that are not isolated from other origins' data.
const stepsOfMs = 10;
export function nowMs(): number {
  return Math.floor((native.monoNowMs() - timeOrigin.monoMs) * stepsOfMs) / stepsOfMs;
}
