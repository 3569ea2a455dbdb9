import { defineConfig, type Plugin } from "vite";

/** `npm run dev` has no release around it, so the per-environment file is made from the shell's variables. */
function developmentEnvironment(): Plugin {
  return {
    name: "development-environment",
    configureServer(server) {
      server.middlewares.use("/_lockflight/env.js", (_request, response) => {
        const { LOCKFLIGHT_SUPABASE_URL, LOCKFLIGHT_SUPABASE_ANON_KEY } = process.env;
        const values = { SUPABASE_URL: LOCKFLIGHT_SUPABASE_URL, SUPABASE_ANON_KEY: LOCKFLIGHT_SUPABASE_ANON_KEY };
        response.setHeader("content-type", "text/javascript");
        response.end(`globalThis.__LOCKFLIGHT__ = ${JSON.stringify({ environment: "development", release: "none", values })};`);
      });
    },
  };
}

export default defineConfig({
  plugins: [developmentEnvironment()],
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: { target: "es2022", assetsInlineLimit: 0 },
  test: { include: ["tests/unit/**/*.test.ts"], environment: "node", setupFiles: ["tests/unit/node18.mjs"] },
} as Parameters<typeof defineConfig>[0]);
