// g++ 12.2 silently miscompiles some coroutine expressions: a brace initializer inside an expression that holds
// co_await or a closure that owns something (double free), and a switch directly on co_await (jumps into nowhere). The
// rule is wider than the bug: no braces in the same expression as co_await, arguments are named locals built before;
// never `switch (co_await …)`. A closure that captures only `this` or references is let through.
//   node tools/check-coroutines.mjs [FILE…]     (default: all C++ sources that git knows)
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';

const given = process.argv.slice(2);
const paths = given.length > 0 ? given
  : execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'src/*.cc', 'src/*.h', 'sim/*.cc', 'bench/*.cc', 'tests/*.cc'], { encoding: 'utf8' }).split('\n').filter(Boolean);

// Comments, strings and character constants become blanks of the same length, so that offsets stay true.
function blank(text) {
  return text.replace(/\/\/[^\n]*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'/g, (m) => m.replace(/[^\n]/g, ' '));
}

// The statement around an offset: from the last ; { } before it to the first ; after it at the same depth.
function expressionAfter(text, from) {
  let depth = 0;
  let end = from;
  for (; end < text.length; end++) {
    const c = text[end];
    if (c === '(' || c === '[' || c === '{') depth++;
    else if (c === ')' || c === ']' || c === '}') {
      if (depth === 0) break;
      depth--;
    } else if (c === ';' && depth === 0) break;
  }
  return text.slice(from, end);
}

const found = [];
for (const path of paths) {
  const text = blank(readFileSync(path, 'utf8'));
  for (const match of text.matchAll(/\bco_await\b/g)) {
    const line = text.slice(0, match.index).split('\n').length;
    const before = text.slice(Math.max(0, match.index - 40), match.index);
    if (/\bswitch\s*\(\s*$/.test(before)) found.push(`${path}:${line}: switch directly on co_await`);
    const expression = expressionAfter(text, match.index);
    // A closure with captures of its own (not just `this` and references) is copied bit by bit, and freed twice.
    const closure = /[(,]\s*\[([^\]]*)\]\s*(\([^()]*\)\s*)?(mutable\s*)?(->\s*[\w:<>]+\s*)?\{/.exec(expression);
    if (closure && closure[1].split(',').some((c) => !/^\s*(this|&.*|)\s*$/.test(c))) {
      found.push(`${path}:${line}: a closure with captures in an expression with co_await`);
    }
    // A lambda may carry a body: remove "[..](..) … {" bodies before looking for braces.
    const brace = /[A-Za-z_0-9>,(]\s*\{/.exec(expression.replace(/\[[^\]]*\]\s*(\([^()]*\))?\s*(mutable\s*)?(->\s*[\w:<>]+\s*)?\{[^]*$/, ' '));
    if (brace) found.push(`${path}:${line}: braces in an expression with co_await`);
  }
}
if (found.length > 0) {
  console.error(found.join('\n'));
  console.error('coroutines: build the arguments in named locals first (docs/adr/0004-coroutines-and-g++12.md)');
  process.exit(1);
}
console.log(`coroutines: ${paths.length} files keep the rule`);
