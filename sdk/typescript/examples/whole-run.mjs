// Order, register, request, report: the whole of IFPP with the SDK, against `smdpf serve --sandbox p256`. The README says
// how to start it. Cards and the line are simulated by `smdpf sim`, in place of an EUM's production and a factory.
import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeviceManufacturer,
  decodeEuiccDataBatch,
  Eum,
  encodeBppRequest,
  encodeEuiccDataBatch,
  fromHex,
  Operator,
  proveOneTimeKey,
  publicPoint,
  Refused,
  softwareSigner,
} from 'smdpf-sdk';

const [url, tls, production, template, smdpf] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), 'smdpf-sdk-'));

const warnings = [];
const options = (role, identifier) => {
  const file = (name) => readFileSync(join(tls, `${name}.pem`));
  const name = `client-${role}-${identifier}`;
  return {
    url,
    identifier,
    tls: { ca: file('ca.cert'), cert: file(`${name}.cert`), key: file(`${name}.key`) },
    onWarning: ({ code }) => warnings.push(code),
  };
};
const operator = new Operator(options('operator', '2.999.60'));
const eum = new Eum(options('eum', '2.999.40'));
const maker = new DeviceManufacturer(options('deviceMaker', '2.999.50'));
const id = () => randomBytes(8).toString('hex').toUpperCase();
const check = (right, what) => {
  if (!right) throw new Error(what);
};

// 1. The EUM: proofs of the one-time keys by each eUICC, and the batch. The keys are those of the simulated cards.
const scalarOf = (pem) => Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).d, 'base64url');
const cards = readdirSync(join(production, 'cards')).map((name) =>
  JSON.parse(readFileSync(join(production, 'cards', name), 'utf8')),
);
const { ciPkId, curve, eumChain, euiccInfo2 } = decodeEuiccDataBatch(
  readFileSync(join(production, 'euicc-data.der')),
);
const entries = await Promise.all(
  cards.map(async ({ eid, keyPem, euiccCert, oneTimeKeys }) => {
    const euicc = softwareSigner('p256', scalarOf(keyPem));
    const keys = oneTimeKeys.map(({ keyId, pem }) =>
      proveOneTimeKey(eid, { keyId, otPk: publicPoint('p256', scalarOf(pem)) }, euiccInfo2, euicc),
    );
    return { eid, euiccCert: fromHex(euiccCert), oneTimeKeys: await Promise.all(keys) };
  }),
);
const batch = await encodeEuiccDataBatch({
  batchId: id(),
  ciPkId,
  curve,
  eumChain,
  euiccInfo2,
  entries,
  deviceManufacturers: ['2.999.50'],
});
const registered = await eum.register(batch);
check(registered.accepted === cards.length && registered.rejectedCount === 0, JSON.stringify(registered));
check((await eum.register(batch)).accepted === cards.length, 'a repeat is answered alike');

// 2. The Operator orders a profile for each card. The second manufacturer is not registered, which is a warning.
const orderId = `ORD-${id()}`;
const number = String(randomBytes(4).readUInt32BE() % 1_000_000).padStart(6, '0');
const order = {
  orderId,
  profileType: 'example',
  quantity: cards.length,
  requesterDms: ['2.999.50', '2.999.59'],
  personalisation: { iccidStart: `898877001${number}000`, imsiStart: `001010${number}000`, keys: 'generate' },
  // generated secrets come encrypted to it (getOrderOutput); a real Operator keeps the private part
  outputKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  eligibility: {},
  metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' },
};
await operator.order(readFileSync(template), order);
check(warnings.includes('partyUnknown'), 'the warning is told');
await operator.order(readFileSync(template), order);

// 3. The device manufacturer asks for a BPP for each EID, as often as it likes.
const request = {
  requestId: id(),
  orderId,
  items: cards.map(({ eid }, i) => ({ itemId: i + 1, eid })),
};
const bpps = await maker.request(request);
check(
  bpps.items.every(({ outcome }) => 'bound' in outcome),
  JSON.stringify(bpps.items),
);
const again = await maker.call('/ifpp-draft1/esbpp/requestBpp', {
  bppRequest: Buffer.from(encodeBppRequest(request)).toString('base64'),
});
const refused = await maker.request({ ...request, orderId: 'ORD-of-nobody' }).catch((error) => error);
check(refused instanceof Refused && refused.reasonCode === '3.11', `${refused}`);

// 4. The line, with no network; `smdpf sim factory` stands for it. Its journal has what each eUICC signed.
writeFileSync(join(work, 'batch.der'), Buffer.from(again.bppBatch, 'base64'));
const journal = join(work, 'line.jsonl');
const files = [
  '--batch',
  join(work, 'batch.der'),
  '--cards',
  join(production, 'cards'),
  '--journal',
  journal,
];
execFileSync('node', [smdpf, 'sim', 'factory', 'load', ...files, '--report', join(work, 'unused.der')], {
  stdio: 'inherit',
});
const results = readFileSync(journal, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .map(({ result, at }) => ({ euiccResult: fromHex(result), at: new Date(at) }));

// 5. The report, and what the Operator sees.
const reported = await maker.report({ reportId: id(), items: results });
check(reported.verified === cards.length, JSON.stringify(reported));
const { counts } = await operator.status(orderId);
check(counts.Installed === cards.length, JSON.stringify(counts));
console.log(`TypeScript SDK: ${cards.length} profiles ordered, bound, loaded and reported`);
await Promise.all([operator, eum, maker].map((party) => party.close()));
