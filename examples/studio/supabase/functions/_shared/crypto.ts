const encoder = new TextEncoder();

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function sha256Hex(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

export async function hmacHex(secret: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  return hex(await crypto.subtle.sign("HMAC", key, body));
}

/** Compares digests of equal length, so neither length nor content shows in the time it takes. */
export async function sameSecret(left: string, right: string): Promise<boolean> {
  const [a, b] = await Promise.all([left, right].map(async (text) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)))
  ));
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

/** The secret in use and, while it is being rotated, the one before it: `<NAME>_PREVIOUS`. */
export function validSecrets(name: string): string[] {
  return [Deno.env.get(name), Deno.env.get(`${name}_PREVIOUS`)].filter((secret): secret is string => !!secret);
}

export async function matchesAny(candidate: string, secrets: string[]): Promise<boolean> {
  const matches = await Promise.all(secrets.map((secret) => sameSecret(candidate, secret)));
  return matches.includes(true);
}

/** Header form of Meta and of our WordPress filter: `sha256=<hex HMAC of the exact body>`. */
export async function signedByAny(
  header: string | null,
  body: Uint8Array<ArrayBuffer>,
  secrets: string[],
): Promise<boolean> {
  if (!header?.startsWith("sha256=")) return false;
  const expected = await Promise.all(secrets.map((secret) => hmacHex(secret, body)));
  return await matchesAny(header.slice("sha256=".length), expected);
}

/** The same text always gives the same uuid, so a repeated event cannot create a second row. */
export async function uuidFrom(text: string): Promise<string> {
  const digest = await sha256Hex(text);
  const variant = ((parseInt(digest[16], 16) & 3) | 8).toString(16);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${
    digest.slice(20, 32)
  }`;
}
