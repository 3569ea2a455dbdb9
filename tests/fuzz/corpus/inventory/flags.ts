a.ts
const CRM = "crm";
if (client.getBooleanValue(CRM, false) || c.getObjectValue<{ a: string }>("x.y-z", {})) go();
function isOn(key: string) { return c?.getStringDetails(key, ""); }
const { value } = useFlag(`flag`, isOn("a") && isOn(b[c]));
supabase.rpc("module_enabled", { key: "crm" }); // lockflight: flag a, b
