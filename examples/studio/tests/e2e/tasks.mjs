import { expect, open, seesToast, settled, signIn } from "./person.mjs";

const run = Date.now().toString(36);
const WEEKS_AHEAD = 8 + (Date.now() % 8); // a place of its own, should an earlier run have left something behind
const HOUR = 9 + (Date.now() % 5);
const CLIENT = `Eva Probe-${run}`;

async function chooseClient(dialog) {
  await dialog.getByLabel("Client").selectOption({ label: CLIENT });
}

async function findClient(page) {
  await page.getByLabel("Search clients").fill(`probe-${run}`);
  const row = page.getByRole("list", { name: "Clients" }).getByRole("button", { name: CLIENT });
  await row.waitFor();
  return row;
}

export const tasks = [
  {
    name: "a client is added, found, annotated and edited",
    async play(page, site) {
      await signIn(page, site, "/clients");
      await page.getByRole("button", { name: "New client" }).click();
      const form = page.getByRole("dialog");
      await form.getByLabel("First name").fill("Eva");
      await form.getByLabel("Last name").fill(`Probe-${run}`);
      await form.getByLabel("Telephone").fill("12");
      await form.getByRole("button", { name: "Save" }).click();
      await form.getByText("That is not a telephone number").waitFor();
      await form.getByLabel("Telephone").fill("912 000 111");
      await form.getByRole("button", { name: "Save" }).click();
      await seesToast(page, "Client added");
      await (await findClient(page)).click();
      const panel = page.getByRole("dialog");
      await panel.getByRole("link", { name: "+351 912 000 111" }).waitFor();
      await panel.getByLabel("New note").fill("Likes the window seat");
      await panel.getByRole("button", { name: "Add" }).click();
      await panel.getByText("Likes the window seat").waitFor();
      await panel.getByRole("button", { name: "Edit" }).click();
      await page.getByRole("dialog").getByLabel("E-mail").fill(`Eva.${run}@Example.com`);
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await seesToast(page, "Client saved");
      await page.getByRole("link", { name: `eva.${run}@example.com` }).waitFor();
    },
  },
  {
    name: "a lead is added, moved on and removed",
    async play(page, site) {
      const title = `Probe ${run}`;
      await signIn(page, site, "/leads");
      await page.getByRole("button", { name: "New lead" }).click();
      const form = page.getByRole("dialog");
      await form.getByLabel("What is it about").fill(title);
      await chooseClient(form);
      await form.getByLabel("Worth").fill("1.250,50");
      await form.getByRole("button", { name: "Save" }).click();
      await page.getByRole("region", { name: "New" }).getByText(title).waitFor();
      await page.getByRole("button", { name: `Move ${title} to Contacted` }).click();
      await page.getByRole("region", { name: "Contacted" }).getByText(title).waitFor();
      const card = page.getByRole("listitem").filter({ hasText: title });
      await card.dragTo(page.getByRole("region", { name: "Won" }));
      await page.getByRole("region", { name: "Won" }).getByText(title).waitFor();
      expect((await card.innerText()).includes("€1,250.50"), "the worth is not shown");
      await card.getByRole("button", { name: title }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
      await seesToast(page, "Lead removed");
    },
  },
  {
    name: "an appointment is added, moved in its form and by dragging, and canceled",
    async play(page, site) {
      await signIn(page, site, "/calendar");
      await settled(page);
      for (let week = 0; week < WEEKS_AHEAD; week++) await page.getByRole("button", { name: "Week after" }).click();
      await settled(page);
      await page.getByRole("button", { name: "New appointment" }).click();
      await chooseClient(page.getByRole("dialog"));
      await page.getByRole("dialog").getByLabel("Time").fill(`${String(HOUR).padStart(2, "0")}:00`);
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await seesToast(page, "Appointment added");
      const event = page.locator(".event", { hasText: CLIENT });
      await event.click();
      await page.getByRole("dialog").getByLabel("Time").fill(`${HOUR + 4}:30`);
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await seesToast(page, "Appointment saved");
      await page.locator(".event", { hasText: `${HOUR + 4}:30` }).waitFor();
      const box = await event.boundingBox();
      await page.mouse.move(box.x + 20, box.y + 10);
      await page.mouse.down();
      await page.mouse.move(box.x + 30, box.y - 14);
      await page.mouse.move(box.x + 20, box.y + 10 - 72, { steps: 4 });
      await page.mouse.up();
      await seesToast(page, `${HOUR + 3}:00`);
      await event.click();
      await page.getByRole("dialog").getByRole("button", { name: "Cancel it" }).click();
      await page.getByLabel("Why is it canceled").fill("End of the probe");
      await page.getByRole("button", { name: "Cancel appointment" }).click();
      await seesToast(page, "Appointment canceled");
      await page.locator(".event-off", { hasText: CLIENT }).waitFor();
    },
  },
  {
    name: "an invoice is written, issued, paid in part and marked paid",
    async play(page, site) {
      await signIn(page, site, "/invoices");
      await page.getByRole("button", { name: "New invoice" }).click();
      const form = page.getByRole("dialog");
      await chooseClient(form);
      await form.getByLabel("Description of line 1").fill("Probe");
      await form.getByLabel("Quantity of line 1").fill("1.5");
      await form.getByLabel("Net price of line 1").fill("33,33");
      await form.getByRole("button", { name: "Add a line" }).click();
      await form.locator("#services option").first().waitFor({ state: "attached" });
      await form.getByLabel("Description of line 2").fill("Facial");
      await form.getByText("€125.50").waitFor();
      await form.getByRole("button", { name: "Save draft" }).click();
      const panel = page.getByRole("dialog");
      await panel.getByRole("row", { name: /^Total.*€125.50/ }).waitFor();
      await panel.getByRole("button", { name: "Issue" }).click();
      await seesToast(page, "Invoice issued");
      await panel.getByRole("button", { name: "Record payment" }).click();
      await panel.getByLabel("Amount").fill("25,50");
      await panel.getByRole("button", { name: "Record payment" }).click();
      await panel.getByRole("row", { name: /^Still owed.*€100.00/ }).waitFor();
      await panel.getByRole("button", { name: "Mark paid" }).click();
      await panel.getByText("paid", { exact: true }).waitFor();
    },
  },
  {
    name: "a draft is edited and deleted",
    async play(page, site) {
      await signIn(page, site, "/invoices");
      await page.getByRole("button", { name: "New invoice" }).click();
      await chooseClient(page.getByRole("dialog"));
      await page.getByLabel("Description of line 1").fill("Probe");
      await page.getByLabel("Net price of line 1").fill("10");
      await page.getByRole("button", { name: "Save draft" }).click();
      await page.getByRole("row", { name: /^Total.*€12.30/ }).waitFor();
      await page.getByRole("button", { name: "Edit" }).click();
      await page.getByLabel("Quantity of line 1").fill("2");
      await page.getByRole("button", { name: "Save draft" }).click();
      await page.getByRole("row", { name: /^Total.*€24.60/ }).waitFor();
      await page.getByRole("button", { name: "Delete" }).click();
      await seesToast(page, "Draft deleted");
    },
  },
  {
    name: "the client is archived, and signing out shuts the door",
    async play(page, site) {
      await signIn(page, site, "/clients");
      await (await findClient(page)).click();
      await page.getByRole("dialog").getByRole("button", { name: "Archive" }).click();
      await seesToast(page, "Client archived");
      await page.getByText("Nobody by that name").waitFor();
      await open(page, "Settings");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Password").waitFor();
    },
  },
];
