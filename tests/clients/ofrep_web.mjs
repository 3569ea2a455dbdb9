// Scenarios with what a browser has: @openfeature/ofrep-web-provider in the web SDK.
import { assert, define, relay, remembering, require, run, set, sql, token, until, url } from './ofrep.mjs'

const { OpenFeature, ProviderEvents, ProviderStatus } = require('@openfeature/web-sdk')
const { OFREPWebProvider } = require('@openfeature/ofrep-web-provider')
globalThis.EventSource = require('eventsource').EventSource

const quiet = { error() {}, warn() {}, info() {}, debug() {} }
OpenFeature.setLogger(quiet)

// A client with the flags of `context`, its remembered requests, and the changes it was told.
const open = async ({ base = url, context = { targetingKey: 'u1' }, options = {} } = {}) => {
  const memory = remembering()
  const provider = new OFREPWebProvider({ baseUrl: base, cacheMode: 'disabled', fetchImplementation: memory.fetching, ...options })
  const changes = []
  await OpenFeature.setContext(context)
  OpenFeature.addHandler(ProviderEvents.ConfigurationChanged, event => changes.push(event))
  const failure = await OpenFeature.setProviderAndWait(provider).then(() => null, error => error)
  return { client: OpenFeature.getClient(), memory, changes, failure }
}
const is = (client, key) => client.getBooleanValue(key, false)

const trusted = () => sql(`select lockflight.flag_attribute_set('plan', 'string', true, 'test', 'deploy', null), lockflight.flag_attribute_set('country', 'string', false, 'test', 'deploy', null)`)

run({
  async bulk() {
    define({ key: 'b.bool', exposure: 'client', initial: 'on' },
      { key: 'b.text', exposure: 'client', variants: { off: 'none', grüß: 'Grüße "an" alle' }, initial: 'grüß' },
      { key: 'b.number', exposure: 'client', variants: { off: 0, half: 0.5 }, initial: 'half' },
      { key: 'b.object', exposure: 'client', variants: { off: {}, on: { a: [1, { b: null }] } }, initial: 'on' },
      { key: 'b.disabled', exposure: 'client', initial: 'on' }, { key: 'b.inner', exposure: 'server', initial: 'on' })
    set('b.disabled', { enabled: false })
    const { client } = await open()
    await until('the flags', () => is(client, 'b.bool') || OpenFeature.setContext({ targetingKey: 'u' + Math.random() }))
    const text = client.getStringDetails('b.text', '')
    assert.deepEqual([text.value, text.variant, text.reason], ['Grüße "an" alle', 'grüß', 'STATIC'])
    assert.equal(client.getNumberValue('b.number', 9), 0.5)
    assert.deepEqual(client.getObjectValue('b.object', null), { a: [1, { b: null }] })
    const disabled = client.getBooleanDetails('b.disabled', true)
    assert.deepEqual([disabled.value, disabled.errorCode], [true, undefined])
    assert.equal(client.getBooleanDetails('b.text', true).errorCode, 'TYPE_MISMATCH')
    for (const key of ['b.inner', 'b.unknown']) assert.equal(client.getBooleanDetails(key, false).errorCode, 'FLAG_NOT_FOUND')
    assert.deepEqual(client.getStringDetails('b.text', '').flagMetadata, {})
  },

  async etag() {
    define({ key: 'e.one', exposure: 'client', initial: 'on' })
    const { client, memory } = await open()
    const { etag } = memory.last()
    assert.match(etag, /^"[0-9a-f]{16}"$/)
    await OpenFeature.setContext({ targetingKey: 'u1', colour: 'red' }) // decides nothing: the same answer
    assert.deepEqual([memory.last().noneMatch, memory.last().status, memory.last().body], [etag, 304, ''])
    assert.equal(is(client, 'e.one'), true)
    await OpenFeature.setContext({ targetingKey: 'u2' }) // another person: the client asks without its ETag
    assert.deepEqual([memory.last().noneMatch, memory.last().status], [null, 200])
  },

  async context() {
    trusted()
    define({ key: 'c.alps', exposure: 'client', initial: 'off' })
    set('c.alps', { targeting: { if: [{ in: [{ var: 'country' }, ['CH', 'AT']] }, 'on', 'off'] } })
    const { client, memory } = await open({ context: { targetingKey: 'u1', country: 'DE' } })
    await until('the rule', () => memory.last().body.includes('c.alps') || OpenFeature.setContext({ targetingKey: 'u' + Math.random(), country: 'DE' }))
    await OpenFeature.setContext({ ...OpenFeature.getContext(), country: 'AT' })
    assert.notEqual(memory.last().noneMatch, null)
    assert.equal(memory.last().status, 200) // the same targetingKey, and no 304
    assert.equal(is(client, 'c.alps'), true)
    assert.equal(client.getBooleanDetails('c.alps', false).reason, 'TARGETING_MATCH')
  },

  async trust() {
    trusted()
    define({ key: 't.pro', exposure: 'client', initial: 'off' }, { key: 't.me', exposure: 'client', initial: 'off' })
    set('t.pro', { targeting: { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', 'off'] } })
    set('t.me', { targeting: { if: [{ '==': [{ var: 'targetingKey' }, 'ana'] }, 'on', 'off'] } })
    const claims = { role: 'authenticated', sub: 'ana', app_metadata: { plan: 'pro' } }
    const stranger = await open({ context: { targetingKey: 'u1', plan: 'pro' } })
    await until('the rules', () => stranger.memory.last().body.includes('t.me') || OpenFeature.setContext({ targetingKey: 'u' + Math.random(), plan: 'pro' }))
    assert.equal(is(stranger.client, 't.pro'), false) // whoever says so himself is not believed
    const options = { headers: [['Authorization', `Bearer ${token(claims)}`]] }
    const ana = await open({ context: { targetingKey: 'bob', plan: 'free' }, options })
    assert.deepEqual([is(ana.client, 't.pro'), is(ana.client, 't.me')], [true, true])
  },

  async stream() {
    define({ key: 's.crm', exposure: 'client', initial: 'off' }, { key: 's.inner', exposure: 'server', initial: 'off' })
    const { client, memory, changes } = await open()
    await until('the flags', () => memory.last().body.includes('s.crm') || OpenFeature.setContext({ targetingKey: 'u' + Math.random() }))
    await until('the stream', () => memory.seen.some(r => r.url.includes('flagConfigEtag'))) // told at connect
    const before = memory.seen.length
    set('s.crm', { default_variant: 'on' })
    await until('the change', () => is(client, 's.crm'))
    const version = sql('select lockflight.flag_version()')
    const fetched = memory.seen.slice(before).find(r => r.url.endsWith(`flagConfigEtag=${version}`))
    assert.equal(fetched?.status, 200)
    assert.ok(changes.some(c => c.flagsChanged?.includes('s.crm')))
    set('s.crm', { killed: true }) // a kill reaches the open tab too
    await until('the kill', () => !is(client, 's.crm'))
    set('s.inner', { default_variant: 'on' }) // a change that this client cannot see
    await until('the quiet refetch', () => memory.last().url.endsWith(`flagConfigEtag=${sql('select lockflight.flag_version()')}`))
    assert.equal(memory.last().status, 304)
  },

  async drop() {
    define({ key: 'd.crm', exposure: 'client', initial: 'off' })
    const between = await relay()
    const { client, memory } = await open({ base: between.url })
    await until('the stream', () => memory.seen.some(r => r.url.includes('flagConfigEtag')))
    between.spoil.answer = request => request.url.includes('/stream') ? [503, {}, ''] : null
    between.cut()
    set('d.crm', { default_variant: 'on' }) // while nobody listens
    between.spoil.answer = null
    await until('the change after the gap', () => is(client, 'd.crm'))
    const seen = memory.seen.length
    set('d.crm', { default_variant: 'off' })
    await until('the next change', () => !is(client, 'd.crm') && memory.seen.length > seen)
  },

  async unknown_stream() {
    define({ key: 'k.crm', exposure: 'client', initial: 'off' })
    const between = await relay()
    between.spoil.rewrite = body => body.replace('"eventStreams":[', '"eventStreams":[{"type":"pigeon","url":"http://127.0.0.1:1/"},')
    const { client, memory } = await open({ base: between.url })
    assert.match(memory.last().body, /pigeon/)
    await until('the stream', () => memory.seen.some(r => r.url.includes('flagConfigEtag')))
    set('k.crm', { default_variant: 'on' })
    await until('the change', () => is(client, 'k.crm'))
  },

  async refused() {
    const { client, failure, memory } = await open({ options: { headers: [['Authorization', 'Bearer x.y.z']] } })
    assert.equal(memory.last().status, 401)
    assert.ok(failure)
    assert.equal(client.providerStatus, ProviderStatus.FATAL)
    const other = await open({ options: { headers: [['Authorization', `Bearer ${token({ role: 'postgres' })}`]] } })
    assert.equal(other.memory.last().status, 403)
    assert.equal(other.client.providerStatus, ProviderStatus.FATAL)
  },

  async too_often() {
    let opened
    for (let i = 0; i < 12 && opened?.memory.last().status !== 429; i++) opened = await open({ options: { changeDetection: 'none' } })
    assert.equal(opened.memory.last().status, 429)
    assert.equal(opened.client.providerStatus, ProviderStatus.ERROR)
    assert.equal(is(opened.client, 'o.crm'), false)
    const wait = Number((await fetch(url + '/ofrep/v1/evaluate/flags', { method: 'POST' })).headers.get('retry-after'))
    assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 10, `Retry-After ${wait}`)
    await until('recovery', async () => {
      await OpenFeature.setContext({ targetingKey: 'u' + Math.random() }).catch(() => {})
      return opened.memory.last().status === 200 && is(opened.client, 'o.crm')
    }, 30000)
  },

  async too_large() {
    define({ key: 'l.crm', exposure: 'client', initial: 'on' })
    const { client, memory } = await open()
    await until('the flag', () => is(client, 'l.crm') || OpenFeature.setContext({ targetingKey: 'u' + Math.random() }))
    await OpenFeature.setContext({ targetingKey: 'u1', much: 'x'.repeat(70000) }).catch(() => {})
    assert.equal(memory.last().status, 413)
    assert.equal(typeof JSON.parse(memory.last().body).errorDetails, 'string')
    await OpenFeature.setContext({ targetingKey: 'u1' })
    assert.equal(is(client, 'l.crm'), true)
  },

  async bad_context() {
    const { memory, client } = await open({ context: { targetingKey: 'u1', n: 2 ** 60 } })
    assert.equal(memory.last().status, 400)
    assert.equal(JSON.parse(memory.last().body).errorCode, 'INVALID_CONTEXT')
    assert.equal(client.providerStatus, ProviderStatus.ERROR)
  },

  async broken() {
    define({ key: 'r.crm', exposure: 'client', initial: 'on' })
    const between = await relay()
    for (const answer of [[500, { 'content-type': 'application/json' }, '{"errorDetails":"x"}'], [200, { 'content-type': 'text/html' }, '<p>']]) {
      between.spoil.answer = () => answer
      const { client } = await open({ base: between.url })
      assert.equal(client.providerStatus, ProviderStatus.ERROR)
      assert.equal(client.getBooleanValue('r.crm', true), true)
      between.spoil.answer = null
      await OpenFeature.setContext({ targetingKey: 'u' + Math.random() })
      assert.equal(is(client, 'r.crm'), true)
    }
  },

  // The test stops the database and moves both clocks while this one holds its flags; files tell when.
  async a_day() {
    define({ key: 'y.crm', exposure: 'client', initial: 'on' })
    const { client, memory } = await open()
    await until('the flag', () => is(client, 'y.crm') || OpenFeature.setContext({ targetingKey: 'u' + Math.random() }))
    const { execFileSync } = await import('node:child_process')
    const { writeFileSync } = await import('node:fs')
    execFileSync('kill', ['-STOP', '--', `-${process.env.cluster}`])
    try {
      writeFileSync(process.env.LOCKFLIGHT_CLOCK_AHEAD, String(24 * 3600 * 1000))
      const now = Date.now
      Date.now = () => now() + 24 * 3600 * 1000
      await OpenFeature.setContext({ targetingKey: 'tomorrow' })
      assert.equal(memory.last().status, 200)
      assert.deepEqual(JSON.parse(memory.last().body).metadata.stale, true)
      assert.equal(is(client, 'y.crm'), true)
      assert.equal((await fetch(url + '/readyz')).status, 503)
      assert.equal((await fetch(url + '/healthz')).status, 200)
    } finally {
      execFileSync('kill', ['-CONT', '--', `-${process.env.cluster}`])
    }
    set('y.crm', { killed: true })
    await until('the kill', async () => { await OpenFeature.setContext({ targetingKey: 'u' + Math.random() }); return !is(client, 'y.crm') })
    assert.equal(JSON.parse(memory.last().body).metadata.stale, undefined)
    assert.equal((await fetch(url + '/readyz')).status, 200)
  },
})
