// Walks the whole studio in a real Chromium: every page, both widths, both themes, and what people do on them.
// LOCKFLIGHT_SITE_URL says where. It writes to that database and switches its flags (LOCKFLIGHT_ENVIRONMENT, by the program
// `lockflight`), so aim it at staging.

import { chromium } from "playwright-core";
import { walkthroughs } from "./walk.mjs";
import { tasks } from "./tasks.mjs";

const site = process.env.LOCKFLIGHT_SITE_URL?.replace(/\/+$/, "");
if (!site) {
  console.error("Set LOCKFLIGHT_SITE_URL to the address of the site, for example http://127.0.0.1:4601");
  process.exit(2);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

/** A browser of its own for one test; anything on its console or any failed request is a failure of that test. */
async function run({ name, width = 1280, colorScheme = "light", play }) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 740 : 820 },
    colorScheme,
    locale: "en-GB",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("response", (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`));
  try {
    await play(page, site);
    if (complaints.length > 0) throw new Error(`the console is not clean: ${complaints.join(" | ")}`);
    return null;
  } catch (error) {
    return [error.message, ...complaints].join("\n");
  } finally {
    await context.close();
  }
}

const tests = [...walkthroughs, ...tasks];
let failed = 0;
console.log(`1..${tests.length}`);
for (const [index, test] of tests.entries()) {
  const failure = await run(test);
  if (failure) failed++;
  console.log(`${failure ? "not ok" : "ok"} ${index + 1} - ${test.name}`);
  if (failure) console.log(failure.replace(/^/gm, "# "));
}
await browser.close();
process.exit(failed > 0 ? 1 : 0);
