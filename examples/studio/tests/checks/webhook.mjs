// Both webhooks must turn away a caller that cannot sign.
const functions = process.env.LOCKFLIGHT_FUNCTIONS_URL;

const forged = { "content-type": "application/json", "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
const doors = [
  `${functions}/amelia-webhook?action=bookingAdded&secret=not-the-secret`,
  `${functions}/whatsapp`,
];

for (const door of doors) {
  const answer = await fetch(door, { method: "POST", headers: forged, body: "{}", signal: AbortSignal.timeout(10_000) });
  const { pathname } = new URL(door);
  if (answer.status !== 401) {
    console.error(`${pathname} answered ${answer.status} to a forged call, expected 401`);
    process.exit(1);
  }
  console.log(`${pathname} refuses a forged call`);
}
