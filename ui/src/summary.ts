// What the registrations mean together. Pure.
import type { InstalledApp, Registration, State, Sync } from "./types.ts";

export interface Summary {
  running: Sync[];
  waiting: Sync[];  // something is not synced, or will not be
  reasons: { reason: string; syncs: Sync[] }[];  // of those that wait, the most common first
}

// A periodic sync between two periods is where it should be; everything else that does not run is work not done.
const rests = (sync: Sync) => sync.kind === "periodicsync" && ["waiting-for-period", "other-origin-ran"].includes(sync.reason);
export const isRunning = (sync: Sync) => sync.reason === "running";

export function explainAll(syncs: Sync[]): Summary {
  const running = syncs.filter(isRunning);
  const waiting = syncs.filter((sync) => !isRunning(sync) && !rests(sync));
  const byReason = Map.groupBy(waiting, (sync) => sync.reason);
  const reasons = [...byReason].map(([reason, list]) => ({ reason, syncs: list })).sort((a, b) => b.syncs.length - a.syncs.length);
  return { running, waiting, reasons };
}

export const planned = (syncs: Sync[]) =>
  syncs.filter((sync) => sync.next_time_us !== null).sort((a, b) => (a.next_time_us ?? 0) - (b.next_time_us ?? 0));

// An app as the panel lists it: a service worker's registration, what was installed for it, or both.
export interface App {
  scope: string;
  origin: string;
  name: string;
  installed: InstalledApp | null;
  registration: Registration | null;
}

export function appsOf(state: State): App[] {
  const apps: App[] = state.workers.map((registration) => {
    const installed = state.apps.find((app) => app.registration_id === registration.id) ?? null;
    const name = installed?.name || registration.scope.replace(/^https?:\/\//, "").replace(/\/$/, "");
    return { scope: registration.scope, origin: registration.origin, name, installed, registration };
  });
  for (const installed of state.apps) {
    if (apps.some((app) => app.installed === installed)) continue;
    apps.push({ scope: installed.scope, origin: installed.origin, name: installed.name || installed.scope, installed, registration: null });
  }
  return apps.sort((a, b) => a.name.localeCompare(b.name));
}
