// Netlify's build, gated and phased: before it builds, the gates and the tests; after it built, the release itself, with
// the folder that Netlify built. Everything is decided by the program; this only calls it and lets the build fail.
'use strict';
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const INTERRUPTED = 9; // an earlier run left a release unfinished

function program() {
  const described = require.resolve('lockflight/package.json');
  return path.join(path.dirname(described), require(described).bin.lockflight);
}

// { status, signal, error, stdout } of `lockflight …words`
function run(words, { constants }, stdout) {
  const token = constants.NETLIFY_API_TOKEN;
  const env = { ...process.env };
  if (token && !env.NETLIFY_AUTH_TOKEN) env.NETLIFY_AUTH_TOKEN = token;
  console.log(`lockflight ${words.join(' ')}`);
  return spawnSync(process.execPath, [program(), ...words], { stdio: ['inherit', stdout, 'inherit'], encoding: 'utf8', env });
}

function fail(words, { status, signal, error }, { utils }) {
  if (error) return utils.build.failBuild(`lockflight could not be started: ${error.message}`);
  const how = signal ? `was stopped by ${signal}` : `ended with status ${status}`;
  return utils.build.failBuild(`lockflight ${words[0]} ${how}; what happened and what to type next is above`);
}

function call(words, build) {
  const ended = run(words, build, 'inherit');
  if (ended.status !== 0) fail(words, ended, build);
}

// A build that was cancelled in the middle of a release must not stand in the way of every later one.
function test(words, build) {
  const ended = run(words, build, 'inherit');
  if (ended.status !== INTERRUPTED) return ended.status === 0 || fail(words, ended, build);
  call(['resume', build.inputs.environment, '--unwind', '--no-input', '--wait', build.inputs.wait], build);
  call(words, build);
}

// Several sites can build one repository: only the environment's own may release it.
function isInert(build) {
  const { constants, inputs, utils } = build;
  const context = process.env.CONTEXT;
  const inert = (why) => { utils.status.show({ summary: `Not a release: ${why}` }); return true; };
  if (context !== inputs.context) return inert(`context ${context}, and only ${inputs.context} releases`);
  const site = constants.SITE_ID || process.env.SITE_ID;
  if (!site) return utils.build.failBuild('Netlify did not say which site this is (SITE_ID), so nothing is released');
  const words = ['site', site];
  const ended = run(words, build, 'pipe');
  if (ended.status !== 0) return fail(words, ended, build);
  const owner = ended.stdout.trim();
  if (owner !== inputs.environment) return inert(`this site is that of ${owner}, and the plugin releases ${inputs.environment}`);
  return false;
}

module.exports = {
  onPreBuild(build) {
    if (isInert(build)) return;
    test(['test', build.inputs.environment, '--no-input'], build);
  },

  onPostBuild(build) {
    if (isInert(build)) return;
    const { environment, wait } = build.inputs;
    const folder = path.resolve(build.constants.PUBLISH_DIR);
    call(['deploy', environment, '--prebuilt', folder, '--no-input', '--wait', wait], build);
    build.utils.status.show({ summary: `${environment} was released by Lockflight; this deploy is its shadow and stays unpublished` });
  },
};
