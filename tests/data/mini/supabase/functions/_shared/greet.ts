export const greet = () => `hello, ${Deno.env.get("GREETING") ?? "you"}`;
