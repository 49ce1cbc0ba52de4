// HTML §8.1.4: what happens to exceptions that nobody caught, and to promises whose rejection nobody handles.
import { callerPlace, placeOf, tell } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { type EventTarget, fire, setReportException } from "./events.ts";
import { defineFunctions } from "./global_members.ts";
import { describe, isError } from "./inspect.ts";
import { ErrorEvent, PromiseRejectionEvent } from "./message_events.ts";
import { native } from "./native.ts";

const globalTarget = globalThis as unknown as EventTarget;
let reporting = false;

// Where an error was made; for other values, the place that is known otherwise. No getters are run.
function place(error: unknown, otherwise = ""): { filename: string; lineno: number; colno: number } {
  const own = error instanceof Error || DOMException.isInstance(error);
  const stack = own ? Object.getOwnPropertyDescriptor(error, "stack") : undefined;
  const text: unknown = stack?.get ? Reflect.apply(stack.get, error, []) : stack?.value;
  const found = /^(.*):(\d+):(\d+)$/.exec(placeOf(typeof text === "string" ? text : undefined) || otherwise);
  return { filename: found?.[1] ?? "", lineno: Number(found?.[2] ?? 0), colno: Number(found?.[3] ?? 0) };
}
function oneLine(error: unknown): string {
  if (isError(error)) return `${error.name}: ${error.message}`;
  return describe(error);
}

// "Report an exception": an error event on the global object; the console, when no listener cancels it.
export function reportException(error: unknown, otherwise?: string): void {
  if (reporting) {
    tell("error", `Uncaught ${describe(error)}`, "");
    native.exceptionThrown(error, false);
    return;
  }
  reporting = true;
  try {
    const where = place(error, otherwise);
    const event = new ErrorEvent("error", { message: `Uncaught ${oneLine(error)}`, error, cancelable: true, ...where });
    if (!fire(globalTarget, event)) return;
    const source = where.filename ? `${where.filename}:${where.lineno}:${where.colno}` : "";
    tell("error", `Uncaught ${describe(error)}`, source);
    native.exceptionThrown(error, false);
  } finally {
    reporting = false;
  }
}

// Those reported as unhandled, with their numbers for developer tools.
const outstanding = new WeakMap<Promise<unknown>, number>();
export function unhandledRejection(promise: Promise<unknown>, reason: unknown): void {
  outstanding.set(promise, 0);
  const event = new PromiseRejectionEvent("unhandledrejection", { promise, reason, cancelable: true });
  if (!fire(globalTarget, event)) return;
  const { filename, lineno, colno } = place(reason);
  tell("error", `Uncaught (in promise) ${describe(reason)}`, filename ? `${filename}:${lineno}:${colno}` : "");
  outstanding.set(promise, native.exceptionThrown(reason, true));
}
export function rejectionHandled(promise: Promise<unknown>): void {
  const number = outstanding.get(promise);
  if (number === undefined) return;
  outstanding.delete(promise);
  native.exceptionRevoked(number);
  fire(globalTarget, new PromiseRejectionEvent("rejectionhandled", { promise }));
}

export function installErrors(global: object): void {
  setReportException(reportException);
  defineFunctions(global, {
    reportError(error: unknown): void {
      if (arguments.length === 0) {
        throw new TypeError("Failed to execute 'reportError': 1 argument required, but only 0 present.");
      }
      reportException(error, callerPlace());
    },
  });
}
