// What web-streams-polyfill would take from the global object, where scripts can replace it.
export { AbortController } from "./abort.ts";
// Absent: the ponyfill then uses the promises it took when it was loaded.
export const queueMicrotask = undefined;
