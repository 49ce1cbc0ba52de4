// The demo's voice: what is done, what is seen, and what is thereby proved.
const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

export class UntrueError extends Error {}

export class Stage {
  proofs = [];
  #chapter = '';

  chapter(letter, title) {
    this.#chapter = letter;
    console.log(`\n${paint('1', `${letter}. ${title}`)}`);
  }

  say(text) {
    console.log(`\n  ${text}`);
  }

  command(text) {
    console.log(`    ${paint('36', `$ ${text}`)}`);
  }

  output(text) {
    for (const line of text.split('\n').filter(line => line.trim() !== '')) {
      console.log(`      ${paint('2', line)}`);
    }
  }

  // States something and checks it. A false statement ends the demo.
  prove(statement, holds, seen) {
    if (!holds) {
      console.log(`    ${paint('31', '✗')} ${statement}`);
      throw new UntrueError(`not true: ${statement}\n  seen instead: ${JSON.stringify(seen, null, 2)}`);
    }
    console.log(`    ${paint('32', '✓')} ${statement}`);
    this.proofs.push(`${this.#chapter}. ${statement}`);
  }
}

// The daemon's command line, spoken aloud. Commands are shown as a user would type them.
export function aloud(stage, vigil, data = '') {
  const quote = word => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`);
  const show = args => stage.command(['vigil', ...args.map(quote)].join(' ') + data);
  return {
    // Runs the command, shows it and what it prints.
    async call(...args) {
      show(args);
      const text = await vigil.call(...args);
      stage.output(text);
      return text;
    },
    begin(...args) {
      show(args);
      return vigil.begin(...args);
    },
  };
}
