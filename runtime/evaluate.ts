// Evaluate: code that a developer gives from outside, run in a scope. A classic script whose completion value counts;
// what does not parse as one is tried as an asynchronous expression, then as the body of an async function.
import type { Evaluate } from "#ipc/vigil.ts";
import { describe, inspect } from "./inspect.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";

function parses(code: string, name: string): boolean {
  try {
    native.compileCheck(code, name);
    return true;
  } catch {
    return false;
  }
}
function runnable(code: string, name: string): string {
  if (parses(code, name)) return code;
  // On the first line, so that line numbers stay; a comment at the end must not swallow the bracket.
  const expression = `(async () => (${code}\n))()`;
  if (parses(expression, name)) return expression;
  const body = `(async () => {${code}\n})()`;
  // What never parses is run as it is: its own error is the clearest.
  return parses(body, name) ? body : code;
}
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}

export async function evaluate({ id, code, name }: Evaluate): Promise<void> {
  const url = name || "evaluate";
  try {
    const value: unknown = await native.runScript(runnable(code, url), url);
    const text = typeof value === "string" ? value : inspect(value);
    port.notify({ evaluateResult: { id, ok: true, json: toJson(value), text } });
  } catch (error) {
    port.notify({ evaluateResult: { id, ok: false, json: "", text: describe(error) } });
  }
}
