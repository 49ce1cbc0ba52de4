// URL, URLSearchParams and URLPattern.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator } from "./harness.ts";

test("a URL shows its parts", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const parts = (...args) => {
        const url = new URL(...args);
        return ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"].map(name => url[name]).join(" | ");
      };
      return [parts("HTTPS://me:pw@Exämple.com:443/a/../b?q#h"), parts("http://h:8080"), parts("//other/x?", "https://h/a"),
        parts("mailto:a@b"), parts("web+demo:/.//x"), parts("blob:https://h/id"), parts("file:///C|/x"), parts("http://user@h/")];`),
    [
      "https://me:pw@xn--exmple-cua.com/b?q#h | https://xn--exmple-cua.com | https: | me | pw | xn--exmple-cua.com | " +
      "xn--exmple-cua.com |  | /b | ?q | #h",
      "http://h:8080/ | http://h:8080 | http: |  |  | h:8080 | h | 8080 | / |  | ",
      "https://other/x? | https://other | https: |  |  | other | other |  | /x |  | ",
      "mailto:a@b | null | mailto: |  |  |  |  |  | a@b |  | ",
      "web+demo:/.//x | null | web+demo: |  |  |  |  |  | //x |  | ",
      "blob:https://h/id | https://h | blob: |  |  |  |  |  | https://h/id |  | ",
      "file:///C:/x | null | file: |  |  |  |  |  | /C:/x |  | ",
      "http://user@h/ | http://h | http: | user |  | h | h |  | / |  | ",
    ],
  );
});

test("a URL's parts can be set; what is not valid changes nothing", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const url = new URL("https://h/p?q#f");
      const after = (name, value) => { url[name] = value; return url.href; };
      return [after("protocol", "wss"), after("host", "other:81"), after("port", "x"), after("port", "443"), after("pathname", "a b"),
        after("search", "x=ü"), after("hash", ""), after("username", "u@"), after("password", "p"), after("hostname", "bad host")];`),
    [
      "wss://h/p?q#f",
      "wss://other:81/p?q#f",
      "wss://other:81/p?q#f",
      "wss://other/p?q#f",
      "wss://other/a%20b?q#f",
      "wss://other/a%20b?x=%C3%BC#f",
      "wss://other/a%20b?x=%C3%BC",
      "wss://u%40@other/a%20b?x=%C3%BC",
      "wss://u%40:p@other/a%20b?x=%C3%BC",
      "wss://u%40:p@other/a%20b?x=%C3%BC",
    ],
  );
});

test("what is no URL is an error that says so", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const message = run => { try { run(); } catch (error) { return error.name + ": " + error.message; } };
      const url = new URL("https://h/");
      return [message(() => new URL("x")), message(() => new URL("x", "y")), message(() => url.href = "x"), message(() => URL("https://h")),
        message(() => Object.getOwnPropertyDescriptor(URL.prototype, "href").get.call({})),
        URL.parse("x"), URL.parse("x", "https://h/y/").href, URL.canParse("x"), URL.canParse("https://h"), JSON.stringify(url), url.href];`),
    [
      "TypeError: Failed to construct 'URL': Invalid URL",
      "TypeError: Failed to construct 'URL': Invalid base URL",
      "TypeError: Failed to set the 'href' property on 'URL': Invalid URL",
      "TypeError: Failed to construct 'URL': Please use the 'new' operator, this DOM object constructor cannot be called as a " +
      "function.",
      "TypeError: Illegal invocation",
      null,
      "https://h/y/x",
      false,
      true,
      '"https://h/"',
      "https://h/",
    ],
  );
});

test("a text of many megabytes is no URL, and ends nothing but the attempt", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const long = "x".repeat(100 << 20);
      const url = new URL("https://h/");
      url.hash = long;
      return [URL.canParse("https://h/" + long), URL.canParse("y", "https://h/" + long), url.href];`),
    [false, false, "https://h/"],
  );
});

test("searchParams and search follow each other", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const url = new URL("https://h/?a=1&b=%41+x#f");
      const { searchParams } = url;
      const seen = [[...searchParams]];
      searchParams.append("c", "ü &");
      seen.push(url.href);
      url.search = "??z=2";
      seen.push([...searchParams], searchParams === url.searchParams);
      for (const key of [...searchParams.keys()]) searchParams.delete(key);
      seen.push(url.href);
      url.href = "https://h/?n=1";
      seen.push(searchParams.get("n"), searchParams.size);
      return seen;`),
    [
      [["a", "1"], ["b", "A x"]],
      "https://h/?a=1&b=A+x&c=%C3%BC+%26#f",
      [["?z", "2"]],
      true,
      "https://h/#f",
      "1",
      1,
    ],
  );
});

test("URLSearchParams is made from text, pairs and records, and keeps its list to itself", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const message = run => { try { run(); } catch (error) { return error.message; } };
      const params = new URLSearchParams([["b", "1"], ["a", "2"], ["b", "3"]]);
      for (const pair of params) pair[1] = "changed";
      params.sort();
      const seen = [params.toString()];
      params.set("b", "%");
      seen.push(params.toString(), params.has("b", "%"), params.has("b", "1"), params.getAll("a"));
      params.delete("a", "other");
      seen.push(params.size, new URLSearchParams({ x: "1", y: null }).toString(), new URLSearchParams("?%zz=%F0%9F%98%80").get("%zz"),
        message(() => new URLSearchParams([["only"]])), Object.prototype.toString.call(params.entries()));
      return seen;`),
    [
      "a=2&b=1&b=3",
      "a=2&b=%25",
      true,
      false,
      ["2"],
      2,
      "x=1&y=null",
      "😀",
      "Failed to construct 'URLSearchParams': Sequence initializer must only contain pair elements",
      "[object URLSearchParams Iterator]",
    ],
  );
});

test("a URL pattern matches and names its groups", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const pattern = new URLPattern({ pathname: "/books/:id(\\\\d+)" });
      const found = pattern.exec("https://h/books/42?x");
      const sets = new URLPattern({ pathname: "/([[a-z]--b])" });
      return [found.pathname.groups, found.inputs, pattern.test("https://h/books/x"), pattern.hasRegExpGroups, pattern.pathname,
        new URLPattern("/a", "https://h").test("https://h/a"), new URLPattern("https://h/A", { ignoreCase: true }).test("https://h/a"),
        sets.test({ pathname: "/a" }), sets.test({ pathname: "/b" }), new URLPattern({ port: "80" }).test({ port: "80x" })];`),
    [{ id: "42" }, ["https://h/books/42?x"], false, true, "/books/:id(\\d+)", true, true, true, false, true],
  );
});

test("patterns do not notice that URL and RegExp were replaced", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      self.URL = self.RegExp = undefined;
      return [new URLPattern({ pathname: "/:x" }).test("https://h/y"), Object.keys(URLPattern.prototype).length];`),
    [true, 11],
  );
});
