/** A whole run with the types that openapi-typescript makes: order, register, request, load, report. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import { Agent, type RequestInit as UndiciInit, fetch as undiciFetch } from 'undici';
import type { components, paths } from './openapi.ts';

const [url, tls, orderId, production, template, work, smdpf] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
type Failed = components['schemas']['Failed'];

/** A client of one party, by its certificate. */
function party(role: string, identifier: string) {
  const file = (name: string) => readFileSync(`${tls}/${name}.pem`);
  const name = `client-${role}-${identifier}`;
  const dispatcher = new Agent({
    connect: { ca: file('ca.cert'), cert: file(`${name}.cert`), key: file(`${name}.key`) },
  });
  const send = async (request: Request): Promise<Response> => {
    const body = await request.text();
    const init: UndiciInit = { method: request.method, headers: [...request.headers], body, dispatcher };
    const answer = await undiciFetch(request.url, init);
    return new Response(await answer.text(), { status: answer.status, headers: [...answer.headers] });
  };
  return {
    client: createClient<paths>({ baseUrl: url, fetch: send }),
    header: { functionRequesterIdentifier: identifier, functionCallIdentifier: 'TS-1' },
  };
}

const params = { header: { 'X-Admin-Protocol': 'ifpp-draft/v1.0.0' } } as const;

function executed<T extends object>(answer: T | Failed | undefined): Exclude<T, Failed> {
  if (answer === undefined || !('header' in answer) || JSON.stringify(answer).includes('"status":"Failed"'))
    throw new Error(`not executed: ${JSON.stringify(answer)}`);
  return answer as Exclude<T, Failed>;
}

function equal(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${JSON.stringify(found)} where ${JSON.stringify(wanted)} is expected`);
}

const base64 = (file: string) => readFileSync(file).toString('base64');
const tlv = (tag: string, ...value: Buffer[]): Buffer => {
  const content = Buffer.concat(value);
  if (content.length >= 0x80) throw new Error('this run has short elements only');
  return Buffer.concat([Buffer.from(tag, 'hex'), Buffer.of(content.length), content]);
};

const eids = readdirSync(`${production}/cards`)
  .map((name) => name.replace('.json', ''))
  .sort();
const operator = party('operator', '2.999.60');
const eum = party('eum', '2.999.40');
const maker = party('deviceMaker', '2.999.50');

const ordered = await operator.client.POST('/ifpp-draft1/es2f/prepareProfiles', {
  params,
  body: {
    header: operator.header,
    orderId,
    profileType: 'interface',
    quantity: eids.length,
    requesterDms: ['2.999.50'],
    template: base64(template),
    personalisation: { iccidStart: '898877000000000200', imsiStart: '262010000000200', keys: 'generate' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' },
    // the key of RFC 7517, appendix A.1: this run reads no output rows
    outputKey: {
      kty: 'EC',
      crv: 'P-256',
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
    },
  },
});
equal(executed(ordered.data).iccids?.length, eids.length);

const registered = await eum.client.POST('/ifpp-draft1/esed1/registerEuiccData', {
  params,
  body: { header: eum.header, euiccDataBatch: base64(`${production}/euicc-data.der`) },
});
const { accepted, rejectedCount } = executed(registered.data);
equal([accepted, rejectedCount], [eids.length, 0]);

const items = eids.map((eid, i) =>
  tlv('30', tlv('80', Buffer.of(i + 1)), tlv('81', Buffer.from(eid, 'hex'))),
);
const request = tlv(
  'ff61',
  tlv('80', Buffer.of(1)),
  tlv('81', Buffer.of(0x0a, 2)),
  tlv('82', Buffer.from(orderId)),
  tlv('a4', ...items),
);
const bound = await maker.client.POST('/ifpp-draft1/esbpp/requestBpp', {
  params,
  body: { header: maker.header, bppRequest: request.toString('base64') },
});
// as DER it would be octets, for which this run does not ask
const bpp = executed(typeof bound.data === 'string' ? undefined : bound.data);
equal([bpp.processed, bpp.failed], [eids.length, []]);
if (bpp.bppBatch === undefined) throw new Error('there is no bppBatch');
writeFileSync(`${work}/batch.der`, Buffer.from(bpp.bppBatch, 'base64'));

// the factory has no network: it loads what was fetched, and writes its report
const load = [
  '--batch',
  `${work}/batch.der`,
  '--cards',
  `${production}/cards`,
  '--journal',
  `${work}/line.jsonl`,
];
execFileSync('node', [smdpf, 'sim', 'factory', 'load', ...load, '--report', `${work}/report.der`]);

const sent = await maker.client.POST('/ifpp-draft1/esbpp/sendProfileLoadingReport', {
  params,
  body: { header: maker.header, profileLoadingReport: base64(`${work}/report.der`) },
});
const reported = executed(sent.data);
equal([reported.verified, reported.rejectedCount], [eids.length, 0]);

const asked = await operator.client.POST('/ifpp-draft1/es2f/getOrderStatus', {
  params,
  body: { header: operator.header, orderId },
});
equal(executed(asked.data).counts, { Installed: eids.length });
console.log(`TypeScript: ${eids.length} profiles ordered, bound, loaded and reported`);
process.exit(0);
