import { afterEach, describe, expect, it } from "vitest";
import { parseEnvironment } from "../../src/env";
import { isOn, moduleOf, modulesOn, MODULES, setModulesOff } from "../../src/modules";

const FILE = {
  environment: "staging",
  release: "2026-03-14.9f3c1ab0",
  values: { SUPABASE_URL: "http://127.0.0.1:4601/", SUPABASE_ANON_KEY: "key", STUDIO_MODULES_OFF: "financial, crm" },
};

describe("the per-environment file", () => {
  it("is read", () => {
    expect(parseEnvironment(FILE)).toEqual({
      name: "staging",
      release: "2026-03-14.9f3c1ab0",
      supabaseUrl: "http://127.0.0.1:4601",
      supabaseAnonKey: "key",
      timeZone: "Europe/Lisbon",
      modulesOff: ["financial", "crm"],
    });
  });

  it("that lacks an address or a key is no environment", () => {
    for (const file of [undefined, null, {}, "x", { values: { SUPABASE_URL: "http://a" } }, { values: { SUPABASE_ANON_KEY: "k", SUPABASE_URL: 1 } }]) {
      expect(parseEnvironment(file)).toBeNull();
    }
  });
});

describe("modules", () => {
  afterEach(() => setModulesOff([]));

  it("are all on at first", () => {
    expect(modulesOn().map(({ key }) => key)).toEqual(["crm", "scheduling", "financial"]);
  });

  it("leave the menu when switched off", () => {
    setModulesOff(["financial"]);
    expect(isOn("financial")).toBe(false);
    expect(modulesOn().map(({ key }) => key)).toEqual(["crm", "scheduling"]);
  });

  it("still own their addresses when off, so that a page can explain itself", () => {
    setModulesOff(["financial"]);
    expect(moduleOf("/invoices")?.key).toBe("financial");
    expect(moduleOf("/invoices/2026-0001")?.key).toBe("financial");
    expect(moduleOf("/invoicesque")).toBeNull();
    expect(moduleOf("/settings")).toBeNull();
  });

  it("have pages with addresses of their own", () => {
    const paths = MODULES.flatMap(({ pages }) => pages.map(({ path }) => path));
    expect(new Set(paths).size).toBe(paths.length);
  });
});
