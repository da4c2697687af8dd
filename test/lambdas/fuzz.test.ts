import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Result } from '../../lambdas/api-gateway.ts';
import { type FunctionPath, functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import { STATUS_CODES } from '../../shared/status-codes.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { callHandler, handlerOf, jsonOf, type TestCall } from '../support/function-call.ts';
import { IDENTIFIERS, memoryServices } from '../support/memory-services.ts';
import { requestOf } from '../support/openapi.ts';
import { selfSigned } from '../support/self-signed.ts';

/** Mutations per function; every truncation comes on top. */
const JSON_MUTATIONS = effort({ short: 50, long: 400 });
const DER_MUTATIONS = effort({ short: 400, long: 10_000 });
const SLOWEST_ANSWER_MS = 1_000;

const KNOWN_CODES = new Set(Object.values(STATUS_CODES).map(({ subject, reason }) => `${subject}/${reason}`));
const FAULT_CODES = [STATUS_CODES.executionError, STATUS_CODES.providerUnavailable].map(
  ({ subject, reason }) => `${subject}/${reason}`,
);

const services = memoryServices();
const certificates = new Map<PartyRole, ReturnType<typeof selfSigned>>();
for (const role of Object.keys(IDENTIFIERS) as PartyRole[]) {
  const certificate = selfSigned(role);
  const { fingerprint } = certificate;
  certificates.set(role, certificate);
  services.register.set(fingerprint, { identifier: IDENTIFIERS[role], role, fingerprint });
}

function exampleOf(path: FunctionPath, role: PartyRole | undefined): Record<string, unknown> {
  const { value } = Object.values(requestOf(path).content['application/json']!.examples!)[0]!;
  if (role === undefined) return value;
  const header = { functionRequesterIdentifier: IDENTIFIERS[role], functionCallIdentifier: 'C-1' };
  return { ...value, header };
}

/** Changes, removes, inserts or repeats octets at one to four places. */
const mutate = (original: Buffer) =>
  fc
    .array(
      fc.record({
        at: fc.nat(original.length),
        remove: fc.nat(4),
        insert: fc.uint8Array({ maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((changes) =>
      changes.reduce(
        (octets, { at, remove, insert }) =>
          Buffer.concat([octets.subarray(0, at), insert, octets.subarray(at + remove)]),
        original,
      ),
    );

function expectTyped(result: Result): void {
  if (result.statusCode === 204) return;
  expect([200, 403, 413, 415]).toContain(result.statusCode);
  expect(result.body).not.toMatch(/\bat .*[.]ts|Error:|node:internal/);
  const { status, statusCodeData } = jsonOf(result).header.functionExecutionStatus;
  if (status !== 'Failed') return;
  const codes = `${statusCodeData?.subjectCode}/${statusCodeData?.reasonCode}`;
  expect(KNOWN_CODES).toContain(codes);
  // A wrong body is the caller's fault, never ours.
  expect(FAULT_CODES).not.toContain(codes);
}

describe('bodies that are cut off or changed anywhere get a typed answer', () => {
  for (const path of functionPaths) {
    const { role } = functionAt(path);
    const certificate = role === 'anyone' ? undefined : certificates.get(role)!;
    const handler = handlerOf(path, services);
    const example = exampleOf(path, role === 'anyone' ? undefined : role);

    const answer = async (raw: Uint8Array, contentType: string) => {
      const test: TestCall = { raw, headers: { 'content-type': contentType } };
      const startedAt = performance.now();
      const result = await callHandler(
        handler,
        path,
        certificate === undefined ? test : { ...test, certificate },
      );
      expect(performance.now() - startedAt).toBeLessThan(SLOWEST_ANSWER_MS);
      expectTyped(result);
      return result;
    };
    const fuzz = async (original: Buffer, contentType: string, numRuns: number) => {
      for (let length = 0; length < original.length; length++) {
        const result = await answer(original.subarray(0, length), contentType);
        expect(jsonOf(result).header.functionExecutionStatus.status, `cut at ${length}`).toBe('Failed');
      }
      await fc.assert(
        fc.asyncProperty(mutate(original), async (raw) => void (await answer(raw, contentType))),
        { numRuns },
      );
      count('cuts', original.length);
      count('mutations', numRuns);
    };

    it(`${path}: JSON`, () => fuzz(Buffer.from(JSON.stringify(example)), 'application/json', JSON_MUTATIONS));

    it(`${path}: any JSON value in place of each member`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...Object.keys(example)),
          fc.jsonValue({ maxDepth: 4 }),
          async (name, value) =>
            void (await answer(
              Buffer.from(JSON.stringify({ ...example, [name]: value })),
              'application/json',
            )),
        ),
        { numRuns: JSON_MUTATIONS },
      );
      count('mutations', JSON_MUTATIONS);
    });

    const binary = ['euiccDataBatch', 'bppRequest', 'profileLoadingReport', 'pendingNotification'].find(
      (name) => typeof example[name] === 'string',
    );
    if (binary === undefined) continue;
    it(`${path}: DER`, () =>
      fuzz(Buffer.from(String(example[binary]), 'base64'), 'application/octet-stream', DER_MUTATIONS));
  }
});
