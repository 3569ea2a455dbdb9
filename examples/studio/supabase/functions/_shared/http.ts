const MAX_BODY_BYTES = 1024 * 1024;

export class Refusal extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}

export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) {
    throw new Refusal(413, "body too large");
  }
  const body = new Uint8Array(await request.arrayBuffer());
  if (body.byteLength > MAX_BODY_BYTES) throw new Refusal(413, "body too large");
  return body;
}

export function parseObject(body: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new Refusal(400, "body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal(400, "body is not a JSON object");
  }
  return value as Record<string, unknown>;
}

/** Turns refusals into their status and anything else into a 500 that tells the caller nothing. */
export function guarded(name: string, handler: (request: Request) => Promise<Response>) {
  return async (request: Request): Promise<Response> => {
    try {
      return await handler(request);
    } catch (error) {
      if (error instanceof Refusal) return json(error.status, { error: error.message });
      log(name, "error", { message: String((error as Error)?.message ?? error) });
      return json(500, { error: "internal error" });
    }
  };
}

/** One line per event. Addresses and queries never go in: they can carry secrets. */
export function log(fn: string, event: string, details: Record<string, unknown> = {}): void {
  console.log(JSON.stringify({ fn, event, ...details }));
}
