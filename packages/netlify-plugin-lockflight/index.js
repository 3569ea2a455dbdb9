// Netlify's build, gated and phased: before it builds, the gates and the tests; after it built, the release itself, with
// the folder that Netlify built. Everything is decided by the program; this only calls it and lets the build fail.
'use strict';
const path = require('node:path');
const { spawnSync } = require('node:child_process');

function program() {
  const described = require.resolve('lockflight/package.json');
  return path.join(path.dirname(described), require(described).bin.lockflight);
}

function call(words, { constants, utils }) {
  const token = constants.NETLIFY_API_TOKEN;
  const env = { ...process.env };
  if (token && !env.NETLIFY_AUTH_TOKEN) env.NETLIFY_AUTH_TOKEN = token;
  console.log(`lockflight ${words.join(' ')}`);
  const { status, signal, error } = spawnSync(process.execPath, [program(), ...words], { stdio: 'inherit', env });
  if (error) return utils.build.failBuild(`lockflight could not be started: ${error.message}`);
  if (status !== 0) {
    const how = signal ? `was stopped by ${signal}` : `ended with status ${status}`;
    return utils.build.failBuild(`lockflight ${words[0]} ${how}; what happened and what to type next is above`);
  }
}

function isInert({ inputs, utils }) {
  const context = process.env.CONTEXT;
  if (context === inputs.context) return false;
  utils.status.show({ summary: `Not a release: context ${context}, and only ${inputs.context} releases` });
  return true;
}

module.exports = {
  onPreBuild(build) {
    if (isInert(build)) return;
    call(['test', build.inputs.environment, '--no-input'], build);
  },

  onPostBuild(build) {
    if (isInert(build)) return;
    const { environment, wait } = build.inputs;
    const folder = path.resolve(build.constants.PUBLISH_DIR);
    call(['deploy', environment, '--prebuilt', folder, '--no-input', '--wait', wait], build);
    build.utils.status.show({ summary: `${environment} was released by Lockflight; this deploy is its shadow and stays unpublished` });
  },
};
