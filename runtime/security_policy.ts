// CSP3: SecurityPolicyViolationEvent (§5.1), and a worker's policies as far as its own process enforces them: code of
// strings and of WebAssembly (§4.4). What goes to the network is held against them by the daemon.
import type { CodeGeneration, CspViolation } from "#ipc/vigil.ts";
import { print } from "./console.ts";
import { Event, eventInit, type EventInit, type EventTarget, fire } from "./events.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";
import { setMayEvaluate, setRuntimeTimer } from "./timers.ts";
import { environment } from "./url.ts";
import { defineInterface, type Dictionary, DOMString, enumeration, member, unsignedLong, unsignedShort, USVString } from "./webidl.ts";

const toDisposition = enumeration("SecurityPolicyViolationEventDisposition", ["enforce", "report"]);

export class SecurityPolicyViolationEvent extends Event {
  #texts: Record<string, string> = {};
  #numbers: Record<string, number> = {};
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    const dict = "SecurityPolicyViolationEventInit";
    this.#texts["blockedURI"] = member(init, dict, "blockedURI", USVString, "");
    this.#numbers["columnNumber"] = member(init, dict, "columnNumber", unsignedLong, 0);
    this.#texts["disposition"] = member(init, dict, "disposition", toDisposition, "enforce");
    this.#texts["documentURI"] = member(init, dict, "documentURI", USVString, "");
    this.#texts["effectiveDirective"] = member(init, dict, "effectiveDirective", DOMString, "");
    this.#numbers["lineNumber"] = member(init, dict, "lineNumber", unsignedLong, 0);
    this.#texts["originalPolicy"] = member(init, dict, "originalPolicy", DOMString, "");
    this.#texts["referrer"] = member(init, dict, "referrer", USVString, "");
    this.#texts["sample"] = member(init, dict, "sample", DOMString, "");
    this.#texts["sourceFile"] = member(init, dict, "sourceFile", USVString, "");
    this.#numbers["statusCode"] = member(init, dict, "statusCode", unsignedShort, 0);
    this.#texts["violatedDirective"] = member(init, dict, "violatedDirective", DOMString, "");
  }
  get documentURI(): string {
    return this.#texts["documentURI"]!;
  }
  get referrer(): string {
    return this.#texts["referrer"]!;
  }
  get blockedURI(): string {
    return this.#texts["blockedURI"]!;
  }
  get violatedDirective(): string {
    return this.#texts["violatedDirective"]!;
  }
  get effectiveDirective(): string {
    return this.#texts["effectiveDirective"]!;
  }
  get originalPolicy(): string {
    return this.#texts["originalPolicy"]!;
  }
  get disposition(): string {
    return this.#texts["disposition"]!;
  }
  get sourceFile(): string {
    return this.#texts["sourceFile"]!;
  }
  get statusCode(): number {
    return this.#numbers["statusCode"]!;
  }
  get lineNumber(): number {
    return this.#numbers["lineNumber"]!;
  }
  get columnNumber(): number {
    return this.#numbers["columnNumber"]!;
  }
  get sample(): string {
    return this.#texts["sample"]!;
  }
  static override isInstance(value: unknown): value is SecurityPolicyViolationEvent {
    return typeof value === "object" && value !== null && #texts in value;
  }
}
defineInterface(SecurityPolicyViolationEvent, {
  name: "SecurityPolicyViolationEvent",
  constructorArguments: [DOMString, eventInit("SecurityPolicyViolationEventInit")],
});

// §5.3, "report a violation": in a task of its own.
function report(violation: CspViolation): void {
  print("error", violation.consoleText, "");
  const event = new SecurityPolicyViolationEvent("securitypolicyviolation", {
    documentURI: environment.url,
    blockedURI: violation.blockedUri,
    violatedDirective: violation.effectiveDirective,
    effectiveDirective: violation.effectiveDirective,
    originalPolicy: violation.originalPolicy,
    disposition: violation.reportOnly ? "report" : "enforce",
    bubbles: true,
    composed: true,
  });
  setRuntimeTimer(() => void fire(globalThis as unknown as EventTarget, event), 0);
}

const rules = new Map<string, CodeGeneration>();
export function startSecurityPolicy(evalRule: CodeGeneration | undefined, wasmRule: CodeGeneration | undefined): void {
  port.on("cspViolation", report);
  if (evalRule) rules.set("eval", evalRule);
  if (wasmRule) rules.set("wasm", wasmRule);
  if (evalRule) setMayEvaluate(() => mayGenerateCode("eval"));
  if (evalRule || wasmRule) native.guardCode(evalRule?.refusal ?? "", wasmRule?.refusal ?? "");
}
// Whether code may be made of a string ("eval") or of WebAssembly ("wasm"). V8 asks through the embedder.
export function mayGenerateCode(kind: string): boolean {
  const rule = rules.get(kind);
  for (const violation of rule?.violations ?? []) report(violation);
  return !rule?.refusal;
}
