import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bundles, bundleFunctions, bundleLimit, bundleSize } from '../../lib/bundle.ts';
import { FUNCTIONS, type FunctionName, functionNames, lambdaOf } from '../../lib/functions.ts';
import { CERTIFICATE_HEADER } from '../../localstack/certificate-header.ts';
import { functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import { count } from '../support/counts.ts';
import { LONG } from '../support/effort.ts';

/** What tells bundles apart: the ports that a function is granted, and who may call it. */
const kindOf = (name: FunctionName) => {
  const { vault, keys, dispatcher, notifier } = FUNCTIONS[name];
  const path = functionPaths.find((one) => lambdaOf(one) === name);
  const open = path === undefined ? 'nobody' : functionAt(path).role === 'anyone';
  return [vault, keys, dispatcher, notifier].map((port) => port !== undefined).join() + open;
};
/** Undefined of what nobody calls; true where no certificate is asked for. */
const whoMayCall = (name: FunctionName) => {
  const path = functionPaths.find((one) => lambdaOf(one) === name);
  return path && functionAt(path).role === 'anyone';
};
const LOADED: FunctionName = 'es2f.getOrderStatus';
const LARGEST: FunctionName = 'esbpp.sendProfileLoadingReport';
/** Pages, sessions and all functions for people. */
const CONSOLE = 'console.serve';
/** One of each kind. */
const kinds = [...new Map([...functionNames, LOADED, LARGEST].map((name) => [kindOf(name), name])).values()];
/** All in the long run, else a few, those that tests look at among them: esbuild takes two seconds for each, twice. */
const names = LONG
  ? functionNames
  : [...new Set([LOADED, LARGEST, ...kinds.filter((name) => whoMayCall(name) !== false)])].slice(0, 4);
/** What an emulator is given differs by who may call. */
const emulatedNames = LONG ? names : [...new Map(names.map((name) => [whoMayCall(name), name])).values()];

const folder = mkdtempSync(join(tmpdir(), 'smdpf-bundles-'));
let production: Bundles;
let emulated: Bundles;

beforeAll(async () => {
  production = await bundleFunctions('aws', join(folder, 'aws'), [...names, CONSOLE]);
  emulated = await bundleFunctions('emulator', join(folder, 'emulator'), emulatedNames);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

const textOf = (bundle: string) =>
  readdirSync(bundle)
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => readFileSync(join(bundle, name), 'utf8'))
    .join('\n');

it('a bundle takes no client certificate from a header in production', () => {
  for (const name of names) {
    expect(textOf(production[name]), name).not.toContain(CERTIFICATE_HEADER);
    expect(readdirSync(production[name]).join(), name).not.toContain('certificate-header');
  }
  for (const path of functionPaths.filter((one) => emulatedNames.includes(lambdaOf(one))))
    expect(textOf(emulated[lambdaOf(path)]).includes(CERTIFICATE_HEADER), path).toBe(
      functionAt(path).role !== 'anyone',
    );
});

it('the bundle of a function stays under its limit, minified, with source maps beside it', () => {
  for (const name of names) {
    expect(bundleSize(production[name]), name).toBeLessThan(bundleLimit(name));
    expect(readdirSync(production[name]), name).toContain('index.mjs.map');
    count('items', 1);
  }
});

it('a bundle has no SDK client that a function has no right to use', () => {
  for (const name of names) {
    const text = textOf(production[name]);
    const { vault, keys, dispatcher, notifier } = FUNCTIONS[name];
    expect(text.includes('PutObjectRetention') || text.includes('ListObjectVersions'), name).toBe(
      vault !== undefined,
    );
    expect(text.includes('TrentService'), name).toBe(keys !== undefined);
    expect(text.includes('AWSStepFunctions'), name).toBe(dispatcher !== undefined);
    expect(text.includes('AmazonSQS'), name).toBe(notifier !== undefined);
    expect(text, name).not.toContain('node:sqlite');
  }
});

it('the bundle of the console is small enough for Lambda, trusts no header, and answers what fails by an incident', async () => {
  expect(bundleSize(production[CONSOLE])).toBeLessThan(bundleLimit(CONSOLE));
  const text = textOf(production[CONSOLE]);
  expect(text).not.toContain(CERTIFICATE_HEADER);
  expect(text).not.toContain('node:sqlite');
  const { handler } = (await import(join(production[CONSOLE], 'index.mjs'))) as {
    handler: (event: object, context: object) => Promise<{ statusCode: number; headers: object }>;
  };
  const event = {
    rawPath: '/',
    rawQueryString: '',
    headers: {},
    requestContext: { http: { method: 'GET' } },
  };
  const answer = await handler(event, { awsRequestId: 'r', getRemainingTimeInMillis: () => 20_000 });
  // without a configuration
  expect(answer).toMatchObject({ statusCode: 500, headers: { 'x-frame-options': 'DENY' } });
});

it('a bundle loads, and answers a call that no certificate came with', async () => {
  const { handler } = (await import(join(production[LOADED], 'index.mjs'))) as {
    handler: (event: object, context: object) => Promise<{ statusCode: number; body: string }>;
  };
  const answer = await handler(
    { headers: {}, requestContext: { http: { method: 'POST' } } },
    { awsRequestId: 'r', getRemainingTimeInMillis: () => 20_000 },
  );
  // without a configuration it says so, in the form of the interface
  expect(answer.statusCode).toBe(200);
  expect(answer.body).toContain('"reasonCode":"4.2"');
});
