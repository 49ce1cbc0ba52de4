// What an Event keeps (DOM §2.2 and §2.9).
import type { EventTarget } from "./events.ts";
import { nowMs } from "./time.ts";

// One object of plain properties: V8 defines each private member of a class by a step of its own whenever an object is
// made, and IndexedDB makes an event for every record that a script reads.
export class EventState {
  type: string;
  bubbles = false;
  cancelable = false;
  composed = false;
  trusted = false;
  timeStamp = nowMs();
  target: EventTarget | null = null;
  currentTarget: EventTarget | null = null;
  dispatching = false;
  stopped = false;
  stoppedImmediately = false;
  canceled = false;
  inPassiveListener = false;
  phase = 0;
  path: EventTarget[] = noPath;
  // A listener threw during the last dispatch (IndexedDB aborts its transaction then).
  threw = false;

  constructor(type: string) {
    this.type = type;
  }
}

// Of an event that is not being dispatched. Nobody writes to it.
export const noPath: EventTarget[] = [];
