import { describe, expect, it } from 'vitest';
import { functionPaths } from '../../shared/gsma/functions/index.ts';
import { rolesFor } from '../../shared/gsma/permissions.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import { callHandler, codesOf, handlerOf, jsonOf } from '../support/function-call.ts';
import { IDENTIFIERS, memoryServices } from '../support/memory-services.ts';
import { answerErrors, type Operation, operations, requestOf, resolve } from '../support/openapi.ts';
import { selfSigned } from '../support/self-signed.ts';

const services = memoryServices();
const certificates = Object.fromEntries(
  (Object.keys(IDENTIFIERS) as PartyRole[]).map((role) => {
    const certificate = selfSigned(role);
    const { fingerprint } = certificate;
    services.register.set(fingerprint, { identifier: IDENTIFIERS[role], role, fingerprint });
    return [role, certificate];
  }),
);

/** The first example of the operation, sent by this role. */
function exampleOf(operation: Operation, role: PartyRole): Record<string, unknown> {
  const json = requestOf(operation.operationId).content['application/json']!;
  const example = Object.values(json.examples!)[0]!.value;
  return {
    ...example,
    header: { functionRequesterIdentifier: IDENTIFIERS[role], functionCallIdentifier: 'C-1' },
  };
}

describe('role × function, from the OpenAPI file', {
  tags: ['I7', 'DPFF01', 'DPFF02', 'DPFF03', 'DPFF04', 'MCE01'],
}, () => {
  it('covers every handler', () => {
    expect([...operations.keys()].sort()).toEqual([...functionPaths].sort());
    for (const {
      operation: { 'x-role': role },
    } of operations.values())
      expect([...Object.keys(IDENTIFIERS), 'anyone']).toContain(role);
  });

  for (const [path, { operation }] of operations) {
    for (const role of Object.keys(IDENTIFIERS) as PartyRole[]) {
      const allowed = operation['x-role'] === 'anyone' || rolesFor(operation['x-role']).includes(role);
      it(`${role} ${allowed ? 'may' : 'may not'} call ${path}`, async () => {
        const result = await callHandler(handlerOf(path, services), path, {
          certificate: certificates[role]!,
          body: exampleOf(operation, role),
        });
        const codes = result.statusCode === 204 ? 'Executed-Success' : codesOf(jsonOf(result));
        if (result.statusCode === 200) expect(answerErrors(path, jsonOf(result))).toBeNull();
        if (!allowed) expect(codes).toBe('1.1/1.2');
        // openTransfer's one example is for one purpose; the purposes have their own test below.
        else if (!path.endsWith('.openTransfer')) expect(codes).not.toBe('1.1/1.2');
      });
    }
  }

  it.each([
    ['es2f.openTransfer', 'operator', ['template', 'rows']],
    ['esed1.openTransfer', 'eum', ['euiccData']],
    ['esbpp.openTransfer', 'deviceMaker', ['bppRequest', 'profileLoadingReport']],
    ['admin.openTransfer', 'administrator', ['crl']],
  ] as const)('%s takes only the purposes of %s', async (path, role, purposes) => {
    const { purpose: kinds } = requestOf(path).content['application/json']!.schema.properties;
    const { enum: all } = resolve<{ enum: string[] }>(kinds);
    expect(all.length).toBeGreaterThan(5);
    for (const purpose of all) {
      const result = await callHandler(handlerOf(path, services), path, {
        certificate: certificates[role]!,
        body: {
          header: { functionRequesterIdentifier: IDENTIFIERS[role], functionCallIdentifier: 'C-1' },
          purpose,
          size: 1,
          sha256: 'ab'.repeat(32),
        },
      });
      const expected = (purposes as readonly string[]).includes(purpose) ? 'Executed-Success' : '1.1/1.2';
      expect(codesOf(jsonOf(result)), purpose).toBe(expected);
    }
  });
});

describe('who calls', { tags: ['I7'] }, () => {
  it('is the certificate, not the name in the header', async () => {
    const result = await callHandler(handlerOf('esbpp.getBppBatch', services), 'esbpp.getBppBatch', {
      certificate: certificates.deviceMaker!,
      body: {
        header: { functionRequesterIdentifier: '2.999.51', functionCallIdentifier: 'C-1' },
        requestId: '01',
      },
    });
    expect(codesOf(jsonOf(result))).toBe('1.1/1.2');
  });

  it('is asked on every call, so that a revoked party is out at once', async () => {
    const handler = handlerOf('esbpp.getBppBatch', services);
    const certificate = selfSigned('short-lived');
    const test = {
      certificate,
      body: {
        header: { functionRequesterIdentifier: '2.999.52', functionCallIdentifier: 'C-1' },
        requestId: '01',
      },
    };
    const { fingerprint } = certificate;
    services.register.set(fingerprint, { identifier: '2.999.52', role: 'deviceMaker', fingerprint });
    expect((await callHandler(handler, 'esbpp.getBppBatch', test)).statusCode).toBe(200);
    services.register.delete(fingerprint);
    expect((await callHandler(handler, 'esbpp.getBppBatch', test)).statusCode).toBe(403);
  });
});
