import { describe, expect, it } from 'vitest';
import { readSingle } from '../../shared/codec/tlv.ts';
import { type FunctionPath, functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import { urlPaths } from '../../shared/gsma/paths.ts';
import { readCall } from '../../shared/gsma/received-call.ts';
import { decodeBatchManifest } from '../../shared/ifpp-draft1/batch-manifest.ts';
import { decodeBppBatch } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { decodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { decodeEuiccDataBatch } from '../../shared/ifpp-draft1/euicc-data-batch.ts';
import { decodeProfileLoadingReport } from '../../shared/ifpp-draft1/profile-loading-report.ts';
import { decodeCrl } from '../../shared/pki/crl.ts';
import { ORDER_STATES, PROFILE_STATES } from '../../shared/service/api/es2f.ts';
import { FAILURE_KINDS } from '../../shared/service/api/ops-troubles.ts';
import { batchOf, refusedOf } from '../../shared/service/callbacks/batch.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import type { ProfileRecord } from '../../shared/service/records/profile.ts';
import { noticeWrite } from '../../shared/service/reports/notices.ts';
import { STATUS_CODES, type StatusName } from '../../shared/status-codes.ts';
import {
  compile,
  type MediaType,
  openapi,
  openapiText,
  operations,
  requestOf,
  resolve,
} from '../support/openapi.ts';

/** One test for each function that the code or the file names, so that one missing on either side is named. */
const everyFunction = [...new Set([...functionPaths, ...operations.keys()])];

describe('the OpenAPI file and the code name the same functions', { tags: ['HTTP-BINDING'] }, () => {
  it.each(everyFunction)('%s', (path) => {
    expect(functionPaths, `${path} is not in shared/gsma/functions/index.ts`).toContain(path);
    expect([...operations.keys()], `${path} is not in openapi.yaml`).toContain(path);
    const { urls, operation } = operations.get(path)!;
    const fn = functionAt(path);
    expect([...urls].sort()).toEqual([...urlPaths(fn)].sort());
    expect(operation['x-role']).toBe(fn.role);
    expect(operation['x-reaches']).toEqual(fn.reaches);
  });

  it('only a function that anyone may call is without mutual TLS', () => {
    expect(openapi.security).toEqual([{ mutualTls: [] }]);
    for (const { operation } of operations.values()) {
      expect('security' in operation, operation.operationId).toBe(operation['x-role'] === 'anyone');
    }
  });

  it('lists for requestBpp what eUICC data are refused with: they may come inside a request (path B)', () => {
    const codesOf = (path: FunctionPath) => operations.get(path)!.operation['x-status-codes'];
    expect(codesOf('esbpp.requestBpp')).toEqual(
      expect.arrayContaining(codesOf('esed1.registerEuiccData') as string[]),
    );
  });

  it('lists only status codes that the server knows', () => {
    for (const { operation } of operations.values()) {
      for (const line of operation['x-status-codes']) {
        const [codes, name] = line.split(' ') as [string, StatusName];
        const row = STATUS_CODES[name];
        expect(`${row?.subject}/${row?.reason}`, `${operation.operationId}: ${line}`).toBe(codes);
      }
    }
  });
});

for (const [path, { operation }] of operations) {
  const fn = functionAt(path);
  const body = requestOf(path);
  const json = body.content['application/json']!;

  describe(path, () => {
    it('has the members of its validator, required and optional alike', () => {
      const { properties, required: demanded = [] } = json.schema;
      const { header, ...members } = properties;
      expect(header).toBeDefined();
      const required = demanded.filter((name) => name !== 'header');
      expect(Object.keys(members).sort()).toEqual(Object.keys(fn.body.members).sort());
      const requiredInCode = Object.keys(fn.body.members).filter(
        (name) => fn.body.members[name] === 'required',
      );
      expect([...required].sort()).toEqual(requiredInCode.sort());
    });

    it('takes DER where its validator does', () => {
      expect('application/octet-stream' in body.content).toBe(fn.fromDer !== undefined);
    });

    it('has request examples that pass its schema and its validator', () => {
      const examples = Object.entries(json.examples ?? {});
      expect(examples.length).toBeGreaterThan(0);
      const schema = compile(json.schema);
      for (const [name, { value }] of examples) {
        expect(schema(value), `${name} ${JSON.stringify(schema.errors)}`).toBe(true);
        const header = value.header as { functionRequesterIdentifier: string } | undefined;
        const caller =
          header === undefined
            ? undefined
            : ({
                identifier: header.functionRequesterIdentifier,
                role: 'operator',
                fingerprint: '',
              } as const);
        const read = (members: object) =>
          readCall({ type: 'json', content: JSON.stringify(members) }, {}, fn, caller);
        expect(() => read(value), name).not.toThrow();
        const more = { ...value, extra: 1 };
        // an LPA whose notification is refused would send it for ever
        if (fn.role === 'anyone') expect(read(more).input).toEqual(read(value).input);
        else expect(() => read(more)).toThrow();
        expect(schema(more)).toBe(fn.role === 'anyone');
        if (header === undefined) continue;
        // a text has no control characters, by the schema as by the validator
        const controlled = { ...value, header: { ...header, functionCallIdentifier: 'C\u0085' } };
        expect(schema(controlled)).toBe(false);
        expect(() => read(controlled)).toThrow('is not a text');
      }
    });

    it('has answer examples that pass its schema', () => {
      for (const [status, response] of Object.entries(operation.responses)) {
        const { content } = resolve<{ content?: Record<string, MediaType> }>(response);
        const answers = content?.['application/json'];
        if (answers === undefined) {
          expect(status).toBe('204');
          continue;
        }
        const schema = compile(answers.schema);
        for (const [name, example] of Object.entries(answers.examples ?? {})) {
          const { value } = resolve<{ value: unknown }>(example);
          expect(schema(value), `${status} ${name} ${JSON.stringify(schema.errors)}`).toBe(true);
        }
      }
    });
  });
}

describe('the DER objects in the examples', () => {
  const found = (member: string) =>
    [
      ...openapiText.matchAll(new RegExp(`^ +(?:value: \\{ )?${member}: ([A-Za-z0-9+/]{20,}={0,2})`, 'gm')),
    ].map((match) => Buffer.from(match[1]!, 'base64'));

  it.each([
    ['euiccDataBatch', (der: Buffer) => decodeEuiccDataBatch(der)],
    ['bppRequest', (der: Buffer) => decodeBppRequest(der)],
    ['bppBatch', (der: Buffer) => decodeBppBatch(der)],
    ['manifest', (der: Buffer) => decodeBatchManifest(der)],
    ['profileLoadingReport', (der: Buffer) => decodeProfileLoadingReport(der)],
    ['crl', (der: Buffer) => decodeCrl(der)],
    ['pendingNotification', (der: Buffer) => readSingle(der, 0xbf37, 'ProfileInstallationResult')],
  ])('%s decodes', (member, decode) => {
    const examples = found(member);
    expect(examples.length).toBe(1);
    for (const der of examples) decode(der);
  });
});

describe('the callback to the Operator', () => {
  const { callbacks } = openapi.paths['/ifpp-draft1/es2f/prepareProfiles'].post;
  const { post } = callbacks.handleProfileLoadingInfo['{$request.body#/callbackUrl}'];
  const media: MediaType = post.requestBody.content['application/json'];
  const base: ProfileRecord = { state: 'Installed', iccid: '8933110000000000009', at: 1_795_359_600_123 };
  const eid = '89049032001001234567890123456794';

  it('has examples that pass its schema', () => {
    const schema = compile(media.schema);
    for (const { value } of Object.values(media.examples ?? {})) expect(schema(value)).toBe(true);
  });

  it.each<[string, ProfileRecord, string?]>([
    ['a signed success', { ...base, eid, result: Buffer.from('bf3700', 'hex') }],
    [
      'a signed failure',
      { ...base, eid, state: 'Failed', detail: 'installFailed', result: Buffer.of(0x30, 0) },
    ],
    ['the word of an FPA', { ...base, eid, state: 'Unreported', detail: 'damaged' }, 'damaged'],
    ['a profile closed before it was bound', { ...base, state: 'Closed' }],
  ])('%s is sent as the schema says', (_what, record, fpaCause) => {
    const url = 'https://operator.example.com';
    const news = { id: 'N-1', orderId: 'ORD-1', url, caller: '2.999.10', record };
    const write = noticeWrite(fpaCause === undefined ? news : { ...news, fpaCause });
    const content = 'attributes' in write ? String(write.attributes.content) : '';
    const schema = compile(media.schema);
    expect(schema(JSON.parse(content)), JSON.stringify(schema.errors)).toBe(true);
    const item = { ...ledgerKeys.notice('ORD-1#N-1'), revision: 1 };
    const attributes = 'attributes' in write ? write.attributes : {};
    const several = batchOf([
      { ...item, attributes },
      { ...item, sort: 'ORD-1#N-2', attributes },
    ]);
    expect(schema(JSON.parse(several.content)), JSON.stringify(schema.errors)).toBe(true);
  });

  it('has examples of its answer to several that its own reader takes', () => {
    const answer: MediaType = post.responses['200'].content['application/json'];
    const schema = compile(answer.schema);
    for (const { value } of Object.values(answer.examples ?? {})) {
      expect(schema(value)).toBe(true);
      const refused = /"refused":\["([^"]+)"\]/.exec(JSON.stringify(value))?.[1];
      const notice = { ...ledgerKeys.notice(`ORD-1#${refused}`), revision: 1, attributes: {} };
      expect(refusedOf(JSON.stringify(value), [notice])).toEqual(new Set([notice.sort]));
    }
  });
});

it.each([
  ['ProfileState', PROFILE_STATES],
  ['OrderState', ORDER_STATES],
  ['FailureKind', FAILURE_KINDS],
])('%s has the values that commands, pages and validators take', (name, values) => {
  expect(openapi.components.schemas[name].enum).toEqual(values);
});

it('the OpenAPI file refers only to what exists', () => {
  for (const match of JSON.stringify(openapi).matchAll(/"\$ref":"([^"]+)"/g)) {
    expect(resolve({ $ref: match[1] }), match[1]).toBeDefined();
  }
});
