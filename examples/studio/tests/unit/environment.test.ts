import { afterEach, describe, expect, it } from "vitest";
import { parseEnvironment } from "../../src/env";
import { visitor } from "../../src/flags";
import { isOn, moduleOf, modulesOn, MODULES, setModulesOff } from "../../src/modules";

const FILE = {
  environment: "staging",
  release: "2026-03-14.9f3c1ab0",
  values: { SUPABASE_URL: "http://127.0.0.1:4601/", SUPABASE_ANON_KEY: "key", FLAGS_URL: "http://127.0.0.1:4601/" },
  flags: { crm: false, odd: "x" },
};

describe("the per-environment file", () => {
  it("is read", () => {
    expect(parseEnvironment(FILE)).toEqual({
      name: "staging",
      release: "2026-03-14.9f3c1ab0",
      supabaseUrl: "http://127.0.0.1:4601",
      supabaseAnonKey: "key",
      timeZone: "Europe/Lisbon",
      flagsUrl: "http://127.0.0.1:4601",
      flags: { crm: false },
    });
  });

  it("that lacks an address or a key is no environment", () => {
    for (const file of [undefined, null, {}, "x", { values: { SUPABASE_URL: "http://a" } }, { values: { SUPABASE_ANON_KEY: "k", SUPABASE_URL: 1 } }]) {
      expect(parseEnvironment(file)).toBeNull();
    }
  });
});

describe("a visitor", () => {
  const storage = () => {
    const kept = new Map<string, string>();
    return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  };

  it("is the same one for a year", () => {
    const browser = storage();
    const first = visitor(browser, 0);
    expect(visitor(browser, 364 * 86_400_000)).toBe(first);
    expect(visitor(browser, 366 * 86_400_000)).not.toBe(first);
    expect(visitor(storage(), 0)).not.toBe(first);
  });

  it("needs no storage", () => {
    const refusing = { getItem: () => { throw new Error("denied"); }, setItem: () => {} };
    expect(visitor(refusing, 0)).toMatch(/^[0-9a-f-]{36}$/);
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
