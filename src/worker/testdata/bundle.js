// The bundle of the worker's own tests: as little as the native half can be driven with. It answers Evaluate with
// EvaluateResult, tells tests about what the native half reports (as Console messages), and gives scripts the native
// functions as the global __native. Messages are coded by hand; field numbers are those of ipc/vigil.proto.
(function install(native, scope) {
  const utf8 = (text) => native.utf8Encode(String(text));

  // ------------------------------------------------------------------------------------------ protobuf
  function varint(value) {
    const bytes = [];
    for (value = BigInt.asUintN(64, BigInt(value)); value >= 128n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
    bytes.push(Number(value));
    return bytes;
  }
  const number = (field, value) => [Uint8Array.from([...varint(field << 3), ...varint(value)])];
  const bytes = (field, value) => [Uint8Array.from([...varint((field << 3) | 2), ...varint(value.length)]), value];
  function message(...fields) {
    const parts = fields.flat();
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  function fields(data) {
    const found = {};
    let at = 0;
    const read = () => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = data[at++];
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    while (at < data.length) {
      const key = Number(read());
      if ((key & 7) === 0) {
        found[key >> 3] = Number(read());
      } else {
        const size = Number(read());
        found[key >> 3] = data.subarray(at, at + size);
        at += size;
      }
    }
    return found;
  }
  const text = (data) => (data ? native.utf8Decode(data, false, true) : "");

  // ------------------------------------------------------------------------------------------ answers
  const say = (level, line) => native.send(message(bytes(7, message(bytes(1, utf8(level)), bytes(2, utf8(line))))));
  function answer(id, ok, value) {
    const json = ok ? JSON.stringify(value) : undefined;
    native.send(
      message(bytes(9, message(number(1, id), number(2, ok ? 1 : 0), bytes(3, utf8(json ?? "")), bytes(4, utf8(value))))),
    );
  }

  const timers = new Map();
  let next_timer = 1;
  globalThis.__native = native;
  globalThis.__scope = scope;
  globalThis.__say = (line) => say("log", line);
  globalThis.setTimeout = (callback, delay) => {
    timers.set(next_timer, callback);
    native.setTimer(next_timer, delay ?? 0);
    return next_timer++;
  };
  globalThis.clearTimeout = (id) => {
    timers.delete(id);
    native.clearTimer(id);
  };
  // Asks the daemon for a script, blocking: Request { id, import_script { url } } -> Reply { script { source } }.
  let next_request = 1;
  globalThis.importText = (url) => {
    const request = message(bytes(3, message(number(1, next_request++), bytes(4, message(bytes(1, utf8(url)))))));
    return text(fields(fields(fields(native.requestSync(request))[4])[5])[3]);
  };

  function evaluate(order) {
    const { 1: id, 2: code, 3: name } = fields(order);
    Promise.resolve()
      .then(() => native.runScript(text(code), text(name) || "test.js"))
      .then((value) => answer(id, true, value))
      .catch((error) => answer(id, false, error?.stack ?? error));
  }

  const seen = [];
  return {
    start(start) {
      globalThis.__start = start;
      seen.push(start.url);
      setTimeout(() => seen.push("timer"), 0);
      native.send(message(bytes(1, message(number(1, 1)))));
    },
    // In a spare child, after a start and an event of the native half's own.
    rehearsed() {
      globalThis.__rehearsed = seen.splice(0);
    },
    receive(data) {
      const incoming = fields(data);
      if (incoming[3]) seen.push("event");
      if (incoming[13]) evaluate(incoming[13]);
    },
    timer(id) {
      const callback = timers.get(id);
      timers.delete(id);
      callback();
    },
    unhandledRejection: (promise, reason) => say("rejection", reason),
    rejectionHandled: () => say("rejection-handled", ""),
    uncaught: (error) => say("uncaught", error),
    dataCloneError: (text) => Object.assign(new Error(text), { name: "DataCloneError" }),
  };
})
