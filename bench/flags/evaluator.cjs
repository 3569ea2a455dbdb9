// node evaluator.cjs FOLDER MODE: flagd-core's times on the documents of that folder, one line each: what, nanoseconds.
const fs = require('fs');
const { FlagdCore } = require(`${process.env.FLAGS_PEER}/@openfeature/flagd-core`);
const [folder, mode] = process.argv.slice(2);
const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const options = { disableDynamicCodeGeneration: mode === 'interpreted' };
const context = JSON.parse(fs.readFileSync(`${folder}/context.json`));
const load = name => {
  const core = new FlagdCore(undefined, quiet, options);
  core.setConfigurations(fs.readFileSync(`${folder}/${name}.json`, 'utf8'));
  return core;
};
// The shortest of some blocks of at least 50 ms: what the machine's other work adds is not in it.
const time = (what, times, run) => {
  let best = Infinity;
  for (let block = 0; block < 12; block++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < times; i++) run(i);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / times);
  }
  console.log(`${what} ${best.toFixed(1)}`);
};
let on = 0;
const one = name => { const core = load(name); return () => { on += core.resolveBooleanEvaluation('flag', false, context, quiet).value; }; };
time('static', 1000000, one('static'));
time('rule', 100000, one('rule'));
const fifty = load('fifty');
time('fifty', 4000, () => { on += fifty.resolveAll(context, quiet).length; });
const text = fs.readFileSync(`${folder}/fifty.json`, 'utf8');
time('load', 20, () => new FlagdCore(undefined, quiet, options).setConfigurations(text));
if (on < 0) console.log(on);
