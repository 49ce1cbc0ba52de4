// The same app, page script and server in Chromium and in Vigil: all that can be observed must be equal.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { whyNoChromium } from '../e2e/support/chromium.mjs';
import { apps } from './apps.mjs';
import { ChromiumSide, observe, VigilSide } from './support.mjs';

describe('in Vigil as in Chromium', { skip: whyNoChromium() ?? false }, () => {
  let chromium, vigil;
  before(async () => {
    [chromium, vigil] = await Promise.all([ChromiumSide.start(), VigilSide.start()]);
  });
  after(() => Promise.all([chromium.stop(), vigil.stop()]));

  for (const [name, app] of Object.entries(apps)) {
    test(name, async () => {
      const expected = await observe(chromium, app, 0);
      const { observed } = await observe(vigil, app, expected.port);
      assert.deepEqual(observed, expected.observed);
    });
  }
});
