import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** `lockflight flags on|off KEY` in the environment that is walked. */
export async function flags(verb, key) {
  const env = process.env.LOCKFLIGHT_ENVIRONMENT ?? "staging";
  await promisify(execFile)("lockflight", ["flags", verb, key, "--env", env, "--reason", "walked through", "--yes"]);
}

export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

export async function signIn(page, site, path = "/") {
  await page.goto(site + path);
  await page.getByLabel("E-mail").fill("demo@studio.test");
  await page.getByLabel("Password").fill("studio-demo");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
}

export async function open(page, label) {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: label }).click();
  await settled(page);
}

/** No skeleton is left and nothing says that it did not load. */
export async function settled(page) {
  await page.locator("#content h1, #content .state h2").first().waitFor();
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
  expect((await page.getByRole("alert").count()) === 0, `something did not load on ${page.url()}`);
}

export async function fitsItsWidth(page) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow <= 0, `${page.url()} is ${overflow}px wider than the window`);
}

export async function seesToast(page, text) {
  await page.locator(".toast", { hasText: text }).waitFor();
}
