import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { parseArgs } from 'node:util';
import { eidWithCheckDigits } from '../shared/codec/eid.ts';
import { fromSpki } from '../shared/crypto/ec-key-forms.ts';
import { decodeEcdsaSignature } from '../shared/crypto/ecdsa-signature.ts';
import { opensslKeysOf } from '../shared/crypto/openssl-functions.ts';
import { type Suite, suiteByName } from '../shared/crypto/suite.ts';
import { present } from '../shared/present.ts';
import { bindProfile } from '../shared/profile/bind.ts';
import { generatePpk } from '../shared/profile/ppk.ts';
import { protectProfile } from '../shared/profile/protect.ts';
import { encodeStoreMetadata } from '../shared/rsp/store-metadata.ts';
import { bindCalls, printBindCalls } from './bind/calls.ts';
import { type FloorForm, floorOfBind, floorOfProtect, SESSION_ELEMENTS, uppWork } from './floor.ts';
import { interleaved, type Timing } from './rounds.ts';

/**
 * Binds and protects per second for a 12 kB profile on one core, beside the floor of bare node:crypto calls for the
 * same work in the same run (see floor.ts). Read the ratios: rates depend on what else the machine does.
 *
 * With --calls instead where the time of one BPP on P-256 goes, call by call and step by step, beside other libraries.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '60' },
    'slice-ms': { type: 'string', default: '10' },
    calls: { type: 'boolean', default: false },
  },
});

const UPP_OCTETS = 12_000;
const upp = randomBytes(UPP_OCTETS);
const metadataDer = encodeStoreMetadata({
  iccid: '8988211000000530082',
  serviceProviderName: 'Example Operator',
  profileName: 'Benchmark',
});

interface Comparison {
  readonly ours: Timing;
  readonly plain: Timing;
  readonly lean: Timing;
  /** Of binding. */
  readonly withPoint?: Timing;
}

async function compare(
  name: string,
  ours: () => unknown,
  floor: (form: FloorForm) => () => void,
  forms: readonly FloorForm[] = ['plain', 'lean', 'withPoint'],
): Promise<Comparison> {
  const floors = forms.map((form) => ({ name: `${name}, ${form} floor`, run: floor(form) }));
  const works = [{ name, run: ours }, ...floors];
  const timings = await interleaved(works, Number(options.rounds), Number(options['slice-ms']));
  return {
    ours: timings[0]!,
    plain: timings[1]!,
    lean: timings[2]!,
    ...present({ withPoint: timings[3] }),
  };
}

async function bindComparisons(suite: Suite): Promise<Comparison[]> {
  const namedCurve = suite.curve.openSslName!;
  const euiccOtpk = generateKeyPairSync('ec', { namedCurve }).publicKey;
  const { privateKey: signingKey } = generateKeyPairSync('ec', { namedCurve });
  // of a hybrid suite, behind the point
  const mlKem = suite.draft ? generateKeyPairSync('ml-kem-768').publicKey : undefined;
  const encapsulationKey = mlKem?.export({ format: 'der', type: 'spki' }).subarray(-1184) ?? Buffer.alloc(0);
  const floorInputs = { namedCurve, euiccOtpk, signingKey, ...present({ mlKem }) };
  const ppk = generatePpk(randomBytes);
  const segments = protectProfile(upp, ppk);
  const { point } = fromSpki(euiccOtpk.export({ format: 'der', type: 'spki' }));
  const octets = Buffer.concat([point, encapsulationKey]);
  const common = {
    eid: eidWithCheckDigits('890490321234512345123456789012'),
    metadataDer,
    transactionId: randomBytes(16),
    hostId: randomBytes(16),
    sign: async ({ message }: { message: Uint8Array }) =>
      decodeEcdsaSignature(suite.curve, sign('sha256', message, signingKey)),
  };
  return [
    await compare(
      `bind ${suite.name} ppk`,
      () =>
        bindProfile({
          ...common,
          euiccOtpk: suite.oneTimeKey(octets),
          payload: { mode: 'ppk', segments, ppk },
        }),
      (form) => floorOfBind(form, floorInputs, SESSION_ELEMENTS),
    ),
    await compare(
      `bind ${suite.name} session`,
      () =>
        bindProfile({ ...common, euiccOtpk: suite.oneTimeKey(octets), payload: { mode: 'session', upp } }),
      (form) => floorOfBind(form, floorInputs, uppWork(UPP_OCTETS)),
    ),
  ];
}

if (options.calls) {
  const ppk = generatePpk(randomBytes);
  const eid = eidWithCheckDigits('890490321234512345123456789012');
  const segments = Buffer.from(protectProfile(upp, ppk));
  const calls = await bindCalls(
    { segments, metadataDer, eid },
    Number(options.rounds),
    Number(options['slice-ms']),
  );
  if (options.json) console.log(JSON.stringify({ node: process.version, ...calls }, null, 2));
  else printBindCalls(calls);
  process.exit();
}

const comparisons = [
  ...(await bindComparisons(suiteByName('p256'))),
  ...(await bindComparisons(suiteByName('brainpoolP256r1'))),
  ...(await bindComparisons(suiteByName('p256-mlkem768'))),
  await compare(
    'protect',
    () => protectProfile(upp, generatePpk(randomBytes)),
    (form) => floorOfProtect(form, uppWork(UPP_OCTETS)),
    ['plain', 'lean'],
  ),
];

/** Operations per second; our rate as a part of the floor's. */
function figures({ ours, plain, lean, withPoint }: Comparison, which: 'minMicros' | 'medianMicros') {
  const rate = (timing: Timing): number => Math.round(1e6 / timing[which]);
  return {
    perSecond: rate(ours),
    plainFloorPerSecond: rate(plain),
    leanFloorPerSecond: rate(lean),
    ofPlainFloor: plain[which] / ours[which],
    ofLeanFloor: lean[which] / ours[which],
    withPoint: withPoint && { perSecond: rate(withPoint), ours: withPoint[which] / ours[which] },
  };
}

const rows = comparisons.map((comparison) => ({
  name: comparison.ours.name,
  best: figures(comparison, 'minMicros'),
  median: figures(comparison, 'medianMicros'),
}));

if (options.json) {
  console.log(JSON.stringify({ node: process.version, uppOctets: UPP_OCTETS, rows }, null, 2));
} else {
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(0)} %`;
  const functions = opensslKeysOf({ openSslName: 'prime256v1', coordinateLength: 32 }) !== undefined;
  console.log(
    `${UPP_OCTETS} octets of profile, Node ${process.version}, one core; best round (median round);` +
      ` ephemeral keys by ${functions ? "OpenSSL's own functions (koffi)" : 'node:crypto'}`,
  );
  for (const { name, best, median } of rows) {
    const pair = (key: Exclude<keyof typeof best, 'withPoint'>, format: (value: number) => string): string =>
      `${format(best[key])} (${format(median[key])})`.padEnd(15);
    console.log(
      `${name.padEnd(28)}${pair('perSecond', String)} /s` +
        `   plain floor ${pair('plainFloorPerSecond', String)} ${pair('ofPlainFloor', percent)}` +
        `   lean floor ${pair('leanFloorPerSecond', String)} ${pair('ofLeanFloor', percent)}`,
    );
    if (best.withPoint !== undefined && median.withPoint !== undefined)
      console.log(
        `${''.padEnd(28)}floor with the point ${best.withPoint.perSecond} (${median.withPoint.perSecond})` +
          `   ${percent(best.withPoint.ours)} (${percent(median.withPoint.ours)})`,
      );
  }
}
