#!/usr/bin/env node
// Starts the program that belongs to this machine, as if it had been called itself: same arguments, same terminal,
// same signals, same exit status.
'use strict';
const { spawn } = require('node:child_process');
const { constants } = require('node:os');

const name = `@lockflight/${process.platform}-${process.arch}`;

function find() {
  try {
    return require.resolve(`${name}/bin/lockflight`);
  } catch {
    console.error(`lockflight: there is no program for this machine (${name}).
Linux on x64 is what it is made for. If that is what you have, the package was left out when this one was installed:
install again without --omit=optional.`);
    process.exit(1);
  }
}

const child = spawn(find(), process.argv.slice(2), { stdio: 'inherit' });
const passed = ['SIGINT', 'SIGTERM', 'SIGHUP'];
// A terminal and some runners send to both, others to us alone: the program knows what it was told a moment ago.
for (const signal of passed) process.on(signal, () => child.kill(signal));
child.on('error', (error) => { console.error(`lockflight: ${error.message}`); process.exit(1); });
child.on('exit', (status, signal) => process.exit(signal ? 128 + constants.signals[signal] : status));
