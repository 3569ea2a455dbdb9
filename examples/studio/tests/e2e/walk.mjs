import { expect, fitsItsWidth, flags, open, settled, signIn } from "./person.mjs";

const PAGES = ["Today", "Clients", "Leads", "Calendar", "Invoices", "Settings"];

function luminance(color) {
  const channels = /rgb\((\d+), (\d+), (\d+)\)/.exec(color).slice(1).map(Number);
  return channels.reduce((sum, channel) => sum + channel, 0) / 765;
}

async function walk(page, site, colorScheme) {
  await page.goto(site);
  await page.getByLabel("E-mail").waitFor();
  await fitsItsWidth(page);
  await signIn(page, site);
  const paper = luminance(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor));
  expect(colorScheme === "dark" ? paper < 0.2 : paper > 0.8, `the page is not ${colorScheme}`);
  const badge = page.locator(".environment");
  expect(await badge.isVisible(), "nothing says which environment this is");
  for (const label of PAGES) {
    await open(page, label);
    await fitsItsWidth(page);
    expect((await page.title()) === `${label} · Studio`, `the title of ${label} is ${await page.title()}`);
    const current = page.locator('nav [aria-current="page"]');
    expect((await current.innerText()).trim() === label, `${label} is not marked in the menu`);
  }
  await openPanels(page);
}

async function openPanels(page) {
  await open(page, "Clients");
  await page.getByRole("list", { name: "Clients" }).getByRole("button").first().click();
  await page.getByRole("heading", { name: "History" }).waitFor();
  await closeWithEscape(page);
  await open(page, "Invoices");
  await page.getByRole("list", { name: "Invoices" }).getByRole("button").first().click();
  await page.getByRole("row", { name: /^Total/ }).waitFor();
  await closeWithEscape(page);
  for (const [label, button] of [["Leads", "New lead"], ["Calendar", "New appointment"], ["Invoices", "New invoice"], ["Clients", "New client"]]) {
    await open(page, label);
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("dialog", { name: button }).waitFor();
    await fitsItsWidth(page);
    await closeWithEscape(page);
  }
}

async function closeWithEscape(page) {
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

const sizes = [1280, 360].flatMap((width) => ["light", "dark"].map((colorScheme) => ({ width, colorScheme })));

export const walkthroughs = [
  ...sizes.map(({ width, colorScheme }) => ({
    name: `every page and dialog at ${width} px, ${colorScheme}`,
    width,
    colorScheme,
    play: (page, site) => walk(page, site, colorScheme),
  })),
  {
    name: "the theme chosen by hand stays",
    async play(page, site) {
      await signIn(page, site, "/settings");
      await page.getByRole("group", { name: "Appearance" }).getByRole("button", { name: "Dark" }).click();
      await page.reload();
      await settled(page);
      const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      expect(luminance(paper) < 0.2, "the page went back to light");
    },
  },
  {
    name: "the keyboard alone is enough",
    async play(page, site) {
      await signIn(page, site, "/clients");
      await settled(page);
      await page.locator("body").press("Tab");
      expect((await page.evaluate(() => document.activeElement.textContent)) === "Skip to content", "the first stop is not the skip link");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      const first = page.getByRole("button", { name: "New client" });
      expect(await first.evaluate((button) => button === document.activeElement), "the skip link does not lead to the page");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await closeWithEscape(page);
      expect(await first.evaluate((button) => button === document.activeElement), "the focus is lost after a dialog");
    },
  },
  {
    name: "a module that is switched off leaves the open page, and comes back, without a reload",
    async play(page, site) {
      const menu = page.getByRole("navigation", { name: "Main" });
      await signIn(page, site, "/invoices");
      await page.getByRole("heading", { name: "Invoices" }).waitFor();
      await page.evaluate(() => (globalThis.neverReloaded = true));
      try {
        await flags("off", "financial");
        await page.getByRole("heading", { name: "Financial is switched off" }).waitFor();
        await menu.getByRole("link", { name: "Invoices" }).waitFor({ state: "detached" });
        expect(await menu.getByRole("link", { name: "Calendar" }).isVisible(), "other modules went too");
        await flags("on", "financial");
        await menu.getByRole("link", { name: "Invoices" }).waitFor();
        await page.getByRole("heading", { name: "Invoices" }).waitFor();
        await settled(page);
      } finally {
        await flags("on", "financial");
      }
      expect(await page.evaluate(() => globalThis.neverReloaded), "the page was loaded again");
    },
  },
  {
    name: "the direct address of a module that is off explains itself, and nothing of it is seen before",
    async play(page, site) {
      await flags("off", "financial");
      try {
        await signIn(page, site);
        await page.getByRole("heading", { name: /^Good/ }).waitFor();
        await page.addInitScript(() => {
          const seen = (globalThis.seen = []);
          new MutationObserver(() => {
            for (const heading of document.querySelectorAll("h1, h2, .nav-link")) seen.push(heading.textContent.trim());
          }).observe(document, { childList: true, subtree: true });
        });
        await page.goto(`${site}/invoices`);
        await page.getByRole("heading", { name: "Financial is switched off" }).waitFor();
        expect(!(await page.evaluate(() => globalThis.seen)).includes("Invoices"), "the module flickered before it went");
      } finally {
        await flags("on", "financial");
      }
    },
  },
  {
    name: "an address that does not exist leads back home, and the back button works",
    async play(page, site) {
      await signIn(page, site, "/no/such/page");
      await page.getByRole("link", { name: "Go to today" }).click();
      await page.getByRole("heading", { name: /^Good/ }).waitFor();
      await page.goBack();
      await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    },
  },
];
