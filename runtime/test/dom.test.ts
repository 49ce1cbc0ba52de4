// The tree of elements that a page's scripts can read and change, and what its elements fetch.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, origin, Scope } from "./harness.ts";

const files = (given: Record<string, [type: string, text: string]>): Answer => (request) => {
  if (!request.fetch) return { ok: {} };
  const file = given[new URL(request.fetch.url).pathname];
  const headers = file ? [{ name: "content-type", value: file[0] }] : [];
  return {
    response: {
      type: 0,
      status: file ? 200 : 404,
      headers,
      urlList: [request.fetch.url],
      body: { inline: Buffer.from(file?.[1] ?? "", "latin1") },
    },
  };
};

test("a parsed document is a tree that selectors find their way in", async () => {
  await using page = await Scope.page(
    `<!doctype html><html><head><title>T</title></head><body class="a b"><div id="x" data-user-name="u"><p class="one">1</p><p class="two">2 &amp; 3</p></div><a href="/y">l</a></body></html>`,
  );
  assert.deepEqual(
    await page.evaluate(`[
      document.documentElement.tagName, document.head.tagName, document.body.className, document.doctype === undefined,
      document.getElementById("x").children.length, document.querySelector("div > p.two").textContent,
      document.querySelectorAll("p").length, document.querySelector("p + p").className, document.querySelector("p:not(.one)").className,
      document.querySelector("a").href, document.getElementById("x").dataset.userName, document.body.contains(document.querySelector("p")),
      String(document.querySelector("a")), document.body.innerHTML]`),
    [
      "HTML", "HEAD", "a b", true, 2, "2 & 3", 2, "two", "two", `${origin}/y`, "u", true, `${origin}/y`,
      '<div id="x" data-user-name="u"><p class="one">1</p><p class="two">2 &amp; 3</p></div><a href="/y">l</a>',
    ],
  );
  await assert.rejects(page.evaluate("document.querySelector('p[')"), /SyntaxError/);
});

test("scripts build, move and remove elements, and events go up through them", async () => {
  await using page = await Scope.page("<body></body>");
  assert.deepEqual(
    await page.evaluate(`
      const seen = [], list = document.createElement("ul");
      list.innerHTML = "<li>a<li>b"; list.append("c", document.createElement("hr"));
      document.body.appendChild(list); list.insertBefore(list.lastChild, list.firstChild);
      list.classList.add("k", "m"); list.classList.toggle("k"); list.style.color = "red"; list.onclick = e => seen.push(e.target.tagName);
      document.addEventListener("click", e => seen.push(e.currentTarget === document)); addEventListener("click", () => seen.push("window"));
      list.firstChild.click(); list.querySelector("li").remove(); const copy = list.cloneNode(true);
      [seen, list.outerHTML, copy.isConnected, copy.textContent, list instanceof HTMLElement, list.parentNode === document.body, list.ownerDocument === document]`),
    [
      ["HR", true, "window"], '<ul class="m"><hr><li>b</li>c</ul>', false, "bc", true, true, true,
    ],
  );
  assert.match(
    await page.evaluate("try { list.appendChild(document.body) } catch (e) { e.name }"),
    /HierarchyRequestError/,
  );
});

test("an inserted script runs: at once when it is inline, when it is there otherwise; innerHTML runs none", async () => {
  await using page = await Scope.page("<body></body>", undefined, files({ "/late.js": ["text/javascript", "console.log('late', document.currentScript.src)"] }));
  await page.evaluate(`
    document.body.innerHTML = "<script>console.log('never')</" + "script>";
    const inline = document.createElement("script"); inline.textContent = "console.log('inline')"; document.body.append(inline); console.log("after");
    const late = document.createElement("script"); late.src = "/late.js"; late.onload = () => console.log("loaded"); document.body.append(late);
    const gone = document.createElement("script"); gone.src = "/gone.js"; gone.onerror = () => console.log("error"); document.body.append(gone)`);
  assert.deepEqual(page.lines.filter((line) => !line.startsWith("Failed")), ["inline", "after", `late ${origin}/late.js`, "loaded", "error"]);
});

test("images and style sheets are fetched as such and say how it went", async () => {
  const png = "\x89PNG\r\n\x1a\n";
  await using page = await Scope.page(
    `<link rel="stylesheet" href="/s.css" onload="console.log('style')"><img src="/i.png" onload="console.log('image', this.complete)"><img src="/no.txt" onerror="console.log('no image')">`,
    undefined,
    files({ "/s.css": ["text/css", ""], "/i.png": ["image/png", png], "/no.txt": ["text/plain", "x"] }),
  );
  assert.deepEqual(page.requests("fetch").map(({ destination, mode }) => `${destination} ${mode}`).sort(), [
    "image no-cors", "image no-cors", "style no-cors",
  ]);
  assert.deepEqual([...page.lines].sort(), ["image true", "no image", "style"]);
});

test("XMLHttpRequest asks the same way as fetch()", async () => {
  await using page = await Scope.page("", undefined, files({ "/d.json": ["application/json", '{"a": 1}'] }));
  assert.deepEqual(
    await page.evaluate(`new Promise(resolve => {
      const xhr = new XMLHttpRequest(), seen = [];
      for (const type of ["loadstart", "readystatechange", "load", "loadend"]) xhr.addEventListener(type, () => seen.push(type + xhr.readyState));
      xhr.open("GET", "/d.json"); xhr.responseType = "json"; xhr.setRequestHeader("X-Mine", "1"); xhr.send();
      xhr.onloadend = () => setTimeout(() => resolve([seen, xhr.status, xhr.response, xhr.responseURL, xhr.getResponseHeader("Content-Type"), xhr.getAllResponseHeaders()]));
    })`),
    [
      ["readystatechange1", "loadstart1", "readystatechange2", "readystatechange3", "readystatechange4", "load4", "loadend4"],
      200, { a: 1 }, `${origin}/d.json`, "application/json", "content-type: application/json\r\n",
    ],
  );
  assert.ok(page.requests("fetch")[0].headers.some((header: any) => header.name.toLowerCase() === "x-mine"));
});
