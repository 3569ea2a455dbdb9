// The documents that both sides evaluate: node documents.cjs FOLDER writes them there, and one context.
const fs = require('fs');
const folder = process.argv[2];
const onOff = { on: true, off: false };
const plain = on => ({ state: 'ENABLED', variants: onOff, defaultVariant: on ? 'on' : 'off' });
const shares = { fractional: [['on', 25], ['off', 75]] };
const ruled = {
  state: 'ENABLED', variants: onOff, defaultVariant: 'off',
  targeting: { if: [
    { ends_with: [{ var: ['email', ''] }, '@studio.example'] }, 'on',
    { '===': [{ var: 'plan' }, 'enterprise'] }, 'on',
    { in: [{ var: 'country' }, ['CH', 'AT', 'LI']] }, 'off',
    { sem_ver: [{ var: 'app' }, '<', '2.0.0'] }, 'off',
    shares] },
};
// What a product of fifty flags has: half switched plainly, the others by plan, country, version, segment or share.
const kinds = [
  i => plain(i % 3 === 0), i => plain(i % 3 === 1), i => plain(true), i => plain(false), i => plain(i % 2 === 0),
  () => ({ ...plain(false), targeting: shares }),
  () => ({ ...plain(false), targeting: { if: [{ '===': [{ var: 'plan' }, 'pro'] }, 'on', 'off'] } }),
  () => ({ ...plain(false), targeting: { if: [{ $ref: 'staff' }, 'on', shares] } }),
  () => ({ ...plain(false), targeting: { if: [{ in: [{ var: 'country' }, ['DE', 'FR', 'IT']] }, 'on', 'off'] } }),
  () => ruled,
];
const fifty = {};
for (let i = 0; i < 50; i++)
  fifty[`module-${String(i).padStart(2, '0')}`] = { ...kinds[i % 10](i), metadata: { owner: 'team', number: i } };
const write = (name, document) => fs.writeFileSync(`${folder}/${name}.json`, JSON.stringify(document));
write('static', { flags: { flag: plain(true) } });
write('rule', { flags: { flag: ruled } });
write('fifty', { flags: fifty, $evaluators: { staff: { ends_with: [{ var: ['email', ''] }, '@studio.example'] } },
  metadata: { version: '812' } });
write('context', { targetingKey: 'user-4711', email: 'ana@customer.example', plan: 'pro', country: 'DE', app: '2.4.1' });
