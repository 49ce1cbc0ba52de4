// Served in the place of the tests' own /resources/testharnessreport.js: keeps the results where the runner finds them.
setup({ output: false, timeout_multiplier: 1 });
globalThis.vigilResults = new Promise(resolve => {
  add_completion_callback((tests, { status, message }) => {
    resolve({ status, message, tests: tests.map(test => [test.name, test.status, test.message]) });
  });
});
