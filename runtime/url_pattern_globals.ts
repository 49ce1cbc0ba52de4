// What urlpattern-polyfill would take from the global object, where scripts can replace it.
export { URL } from "./url.ts";

// The standard compiles with the flag v (set notation in classes), the package with u.
const Builtin = RegExp;
function UnicodeSetsRegExp(source: string, flags: string): RegExp {
  return new Builtin(source, flags.replace("u", "v"));
}
export { UnicodeSetsRegExp as RegExp };
