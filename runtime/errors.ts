// HTML §8.1.4: what happens to exceptions that nobody caught, and to promises whose rejection nobody handles.
import { callerPlace, placeOf, print } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { type EventTarget, fire, setReportException } from "./events.ts";
import { defineFunctions } from "./global_members.ts";
import { describe, isError } from "./inspect.ts";
import { ErrorEvent, PromiseRejectionEvent } from "./message_events.ts";

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
    print("error", `Uncaught ${describe(error)}`, "");
    return;
  }
  reporting = true;
  try {
    const where = place(error, otherwise);
    const event = new ErrorEvent("error", { message: `Uncaught ${oneLine(error)}`, error, cancelable: true, ...where });
    if (!fire(globalTarget, event)) return;
    const source = where.filename ? `${where.filename}:${where.lineno}:${where.colno}` : "";
    print("error", `Uncaught ${describe(error)}`, source);
  } finally {
    reporting = false;
  }
}

const outstanding = new WeakSet<Promise<unknown>>(); // reported as unhandled
export function unhandledRejection(promise: Promise<unknown>, reason: unknown): void {
  outstanding.add(promise);
  const event = new PromiseRejectionEvent("unhandledrejection", { promise, reason, cancelable: true });
  if (!fire(globalTarget, event)) return;
  const { filename, lineno, colno } = place(reason);
  print("error", `Uncaught (in promise) ${describe(reason)}`, filename ? `${filename}:${lineno}:${colno}` : "");
}
export function rejectionHandled(promise: Promise<unknown>): void {
  if (!outstanding.delete(promise)) return;
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
