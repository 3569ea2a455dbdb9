a.ts
// lockflight: env A, B
const need = (name: string): string => Deno.env.get(name) ?? fail(`${name} is missing`);
const { A, B: b = "x", "C": c, [d]: e, ...rest }: Env = process.env;
if (x) /Deno.env["]/.test(y) && need('API_KEY');
const url = `${Deno.env.get("SUPABASE_URL")}/x/${`${process?.env?.["A"]}`}`;
/* process.env.NO */ a++ / b; (import.meta as any).env.VITE_A!.trim();
export async function secret(key: string) { return Deno.env.get(`OLD_${key}_X`); }
secret("A"); Deno.env.toObject(); const g = Deno.env.get.bind(Deno.env);
