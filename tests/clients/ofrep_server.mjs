// Scenarios with what a server has: @openfeature/ofrep-provider in the server SDK.
import { assert, define, relay, require, run, set, sql, token, until, url } from './ofrep.mjs'

const { OpenFeature } = require('@openfeature/server-sdk')
const { OFREPProvider } = require('@openfeature/ofrep-provider')
OpenFeature.setLogger({ error() {}, warn() {}, info() {}, debug() {} })

const open = async ({ base = url, bearer = process.env.OFREP_TOKEN } = {}) => {
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: base, headers: bearer ? [['Authorization', `Bearer ${bearer}`]] : [] }))
  return OpenFeature.getClient()
}
const context = { targetingKey: 'u1' }

run({
  async single() {
    sql(`select lockflight.flag_attribute_set('seats', 'number', true, 'test', 'deploy', null)`)
    define({ key: 'v.text', variants: { off: 'none', on: 'some' }, initial: 'on', owner: 'billing' },
      { key: 'v.seats', initial: 'off' }, { key: 'v.half', variants: { off: 0, half: 0.5 }, initial: 'half' },
      { key: 'v.object', variants: { off: {}, on: { a: [1] } }, initial: 'on' })
    set('v.seats', { targeting: { if: [{ '>': [{ var: ['seats', 0] }, 5] }, 'on', 'off'] } })
    const client = await open()
    await until('the flags', async () => (await client.getBooleanDetails('v.seats', false, context)).errorCode === undefined)
    const text = await client.getStringDetails('v.text', '', context)
    assert.deepEqual([text.value, text.variant, text.reason], ['some', 'on', 'STATIC'])
    assert.equal(text.flagMetadata.owner, 'billing')
    assert.equal(await client.getNumberValue('v.half', 9, context), 0.5)
    assert.deepEqual(await client.getObjectValue('v.object', {}, context), { a: [1] })
    assert.equal(await client.getBooleanValue('v.seats', false, { ...context, seats: 6 }), true) // a server is believed
    assert.equal(await client.getBooleanValue('v.seats', false, { ...context, seats: 5 }), false)
    const service = await open({ bearer: token({ role: 'service_role' }) })
    assert.equal(await service.getBooleanValue('v.seats', false, { ...context, seats: 6 }), true)
    const nobody = await open({ bearer: null })
    assert.equal((await nobody.getStringDetails('v.text', 'x', context)).errorCode, 'FLAG_NOT_FOUND')
  },

  async failures() {
    define({ key: 'f.crm', initial: 'on' })
    const client = await open()
    await until('the flag', async () => (await client.getBooleanDetails('f.crm', false, context)).value)
    assert.equal((await client.getStringDetails('f.crm', 'x', context)).errorCode, 'TYPE_MISMATCH')
    const told = async (key, base, bearer) => {
      const details = await (await open({ base, bearer })).getBooleanDetails(key, true, context)
      assert.equal(details.value, true)
      return details.errorCode
    }
    assert.equal((await client.getBooleanDetails('f.crm', true, { targetingKey: 'u1', n: 2 ** 60 })).errorCode, 'INVALID_CONTEXT')
    assert.equal(await told('f.unknown'), 'FLAG_NOT_FOUND')
    assert.equal(await told('f.crm', url, 'x.y.z'), 'GENERAL') // 401
    assert.equal(await told('f.crm', url, token({ role: 'postgres' })), 'GENERAL') // 403
    const between = await relay()
    between.spoil.answer = () => [500, { 'content-type': 'application/json' }, '{"errorDetails":"x"}']
    assert.equal(await told('f.crm', between.url), 'GENERAL')
  },

  async too_often() {
    const client = await open()
    const ask = () => client.getBooleanDetails('o.inner', false, context)
    await until('429', async () => (await ask()).errorCode === 'GENERAL')
    const pause = await fetch(url + '/ofrep/v1/evaluate/flags/o.inner', { method: 'POST', headers: { Authorization: `Bearer ${process.env.OFREP_TOKEN}` } })
    assert.equal(pause.status, 429)
    assert.match(pause.headers.get('retry-after'), /^[1-9][0-9]?$/)
    await until('recovery after the pause', async () => (await ask()).value, 30000)
  },
})
