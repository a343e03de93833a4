import { readdirSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';

/** The rooms' promise: everything in `domain/` can be bundled into a workflow, whose realm has little more than ECMAScript. */
const modules = readdirSync('domain').filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3));
let code = '';
let inputs: string[] = [];

beforeAll(async () => {
  const contents = modules.map((name, index) => `import * as m${index} from './domain/${name}.js';`).join('\n') + `\nglobalThis.domain = { ${modules.map((name, index) => `'${name}': m${index}`).join(', ')} };`;
  const result = await build({ stdin: { contents, resolveDir: process.cwd(), loader: 'ts' }, bundle: true, write: false, format: 'iife', platform: 'neutral', mainFields: ['module', 'main'], conditions: ['import'], metafile: true, logLevel: 'silent' });
  code = result.outputFiles[0]?.text ?? '';
  inputs = Object.keys(result.metafile.inputs);
});

describe('every decision', () => {
  test('bundles without schemas, node modules or another room\'s code', () => {
    const foreign = inputs.filter((input) => input !== '<stdin>' && !/^domain\/|^node_modules\/@noble\//.test(input));
    expect(foreign).toEqual([]);
  });

  test('works in a realm with nothing but ECMAScript and text encoding, without clock and chance', () => {
    const context = createContext({ TextEncoder, TextDecoder, answers: {} as Record<string, unknown> });
    runInContext('Math.random = () => { throw new Error("chance"); }; Date.now = () => { throw new Error("clock"); };', context);
    runInContext(code, context);
    runInContext(`
      const { decision, digest, governor, sampling, 'stable-split': split, times } = domain;
      const pair = decision.generateKeyPair(new Uint8Array(32).fill(7));
      const unsigned = { v: 1, run: 'r', evidence: 'a'.repeat(64), verdict: 'approve', comment: '€', approver: 'ada', nonce: '0123456789abcdef' };
      answers.verified = decision.verifyDecision(decision.signDecision(unsigned, pair.privateKey), pair.publicKey);
      answers.digest = digest.digestOf({ b: [1, 2], a: 'é' });
      answers.split = split.splitOf('key', { train: 0.5, validation: 0, test: 0.5 });
      answers.step = governor.decideNext(governor.EMPTY_GOVERNOR, 0, { cooldownMs: 0, debounceMs: 0, newer: 'queue', budget: { runs: 1, perMs: 1 } }).kind;
      answers.drawn = sampling.createSampler(1).below(10);
      answers.instant = times.parseInstant('2026-11-21T09:30:00+01:00');
    `, context);
    const answers = (context as { answers: Record<string, unknown> }).answers;
    expect(answers).toMatchObject({ verified: true, step: 'idle', instant: Date.parse('2026-11-21T08:30:00Z') });
    expect(answers['digest']).toMatch(/^[0-9a-f]{64}$/);
  });

  test('takes plain objects and bytes of another realm', () => {
    const context = createContext({ TextEncoder, TextDecoder, given: { b: [1, { c: null }], a: 'x' }, seed: new Uint8Array(32).fill(7), answers: {} as Record<string, unknown> });
    runInContext(code, context);
    runInContext('answers.text = domain.canonical.canonicalJson(given); answers.key = domain.decision.generateKeyPair(seed).publicKey; answers.hash = domain.digest.sha256Hex(seed);', context);
    expect((context as { answers: Record<string, unknown> }).answers).toMatchObject({ text: '{"a":"x","b":[1,{"c":null}]}', key: expect.stringMatching(/^.{43}=$/) as string });
  });
});
