// Debian's Firefox with a profile of its own, driven through WebDriver BiDi.
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';
import { makeFolder } from './processes.mjs';

export const kFirefox = process.env.FIREFOX_BIN ?? '/usr/bin/firefox-esr';
export const kWithFirefox = { skip: existsSync(kFirefox) ? false : `${kFirefox} is not installed`, timeout: 180_000 };

// dark: what the system prefers.
export async function openFirefox(t, { dark = false, width = 1400, height = 900 } = {}) {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: kFirefox,
    headless: true,
    userDataDir: makeFolder('firefox'),
    defaultViewport: { width, height },
    extraPrefsFirefox: {
      'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1,
      'app.update.enabled': false,
      'datareporting.policy.dataSubmissionEnabled': false,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
    },
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  return page;
}
