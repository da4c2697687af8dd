import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bundles, bundleFunctions, bundleSize } from '../../lib/bundle.ts';
import { FUNCTIONS, functionNames } from '../../lib/functions.ts';
import { CERTIFICATE_HEADER } from '../../localstack/certificate-header.ts';
import { functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-bundles-'));
let production: Bundles;
let emulated: Bundles;

beforeAll(async () => {
  production = await bundleFunctions('aws', join(folder, 'aws'));
  emulated = await bundleFunctions('emulator', join(folder, 'emulator'));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

const textOf = (bundle: string) =>
  readdirSync(bundle)
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => readFileSync(join(bundle, name), 'utf8'))
    .join('\n');

it('a bundle takes no client certificate from a header in production', () => {
  for (const name of functionNames) {
    expect(textOf(production[name]), name).not.toContain(CERTIFICATE_HEADER);
    expect(readdirSync(production[name]).join(), name).not.toContain('certificate-header');
  }
  for (const name of functionPaths)
    expect(textOf(emulated[name]).includes(CERTIFICATE_HEADER), name).toBe(
      functionAt(name).role !== 'anyone',
    );
});

it('the bundle of every function stays under 1.5 MB, minified, with source maps beside it', () => {
  for (const name of functionNames) {
    expect(bundleSize(production[name]), name).toBeLessThan(1_500_000);
    expect(readdirSync(production[name]), name).toContain('index.mjs.map');
  }
});

it('a bundle has no SDK client that a function has no right to use', () => {
  for (const name of functionNames) {
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

it('a bundle loads, and answers a call that no certificate came with', async () => {
  const { handler } = (await import(join(production['es2f.getOrderStatus'], 'index.mjs'))) as {
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
