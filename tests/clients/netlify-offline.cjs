// Preloaded into netlify-cli: the one address it cannot be told to change is answered by the local platform.
const api = process.env.LOCKFLIGHT_TEST_API;
const vendor = 'https://api.netlifysdk.com/';
const real = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = String(input instanceof Request ? input.url : input);
  return url.startsWith(vendor) ? real(`${api}/${url.slice(vendor.length)}`, init) : real(input, init);
};
