import {
  createCipheriv,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign,
} from 'node:crypto';
import { createRequire } from 'node:module';
import { p256 } from '@noble/curves/nist.js';
import { checkEid, encodeEid } from '../../shared/codec/eid.ts';
import { OctetWriter } from '../../shared/codec/octet-writer.ts';
import { readSingle } from '../../shared/codec/tlv.ts';
import { BspSealer, TAG_87 } from '../../shared/crypto/bsp.ts';
import { decodeEcdsaSignature } from '../../shared/crypto/ecdsa-signature.ts';
import { functionsBy, type Koffi } from '../../shared/crypto/openssl-functions.ts';
import { deriveSessionKeys } from '../../shared/crypto/session-keys.ts';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { bindProfile } from '../../shared/profile/bind.ts';
import { generatePpk } from '../../shared/profile/ppk.ts';
import { encodeConfigureIsdp } from '../../shared/rsp/configure-isdp.ts';
import { encodeUnsignedPart, smdpSignInput } from '../../shared/rsp/initialise-secure-channel.ts';
import { encodeReplaceSessionKeys } from '../../shared/rsp/replace-session-keys.ts';
import { STORE_METADATA } from '../../shared/rsp/store-metadata.ts';
import { interleaved, type Work } from '../rounds.ts';

/** What one BPP on P-256 is made of, and who else could do it. */
export interface BindCalls {
  /** Microseconds of each call in its best round; absent where that library has none. */
  readonly calls: readonly {
    readonly call: string;
    readonly node?: number;
    readonly openSsl?: number;
    readonly noble?: number;
  }[];
  /** Of our own functions, one after the other all that a BPP passes through. */
  readonly steps: readonly { readonly step: string; readonly micros: number }[];
  /** A whole BPP in the same rounds. */
  readonly whole: number;
}

/** What is bound. */
interface Profile {
  readonly segments: Buffer;
  readonly metadataDer: Uint8Array;
  readonly eid: string;
}

type Column = 'node' | 'openSsl' | 'noble';

const ZERO_IV = Buffer.alloc(16);
const NAMED_CURVE = 'P-256';

/** Times of the calls by node:crypto, by the OpenSSL inside Node called past it, and by JavaScript; and of our own functions. */
export async function bindCalls(profile: Profile, rounds: number, sliceMs: number): Promise<BindCalls> {
  const calls: readonly (readonly [string, Column, () => unknown])[] = [
    ...nodeCalls(),
    ...openSslCalls(),
    ...nobleCalls(),
  ];
  const steps = ourSteps(profile);
  const works: Work[] = [
    ...calls.map(([call, column, run]) => ({ name: `${column}: ${call}`, run })),
    ...steps.map(([name, run]) => ({ name, run })),
    { name: 'whole', run: wholeBind(profile) },
  ];
  const micros = (await interleaved(works, rounds, sliceMs)).map(({ minMicros }) => minMicros);
  const names = [...new Set(calls.map(([call]) => call))];
  return {
    calls: names.map((call) => ({
      call,
      ...Object.fromEntries(
        calls.flatMap(([name, column], i) => (name === call ? [[column, micros[i]]] : [])),
      ),
    })),
    steps: steps.map(([step], i) => ({ step, micros: micros[calls.length + i]! })),
    whole: micros.at(-1)!,
  };
}

function nodeCalls(): (readonly [string, Column, () => unknown])[] {
  const own = generateKeyPairSync('ec', { namedCurve: NAMED_CURVE });
  const pem = generateKeyPairSync('ec', { namedCurve: NAMED_CURVE }).publicKey.export({
    format: 'pem',
    type: 'spki',
  });
  const peer = createPublicKey(pem);
  const [message, kdf, key, octets] = [189, 72, 16, 224].map((length) => randomBytes(length)) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  return [
    ['key pair', 'node', () => generateKeyPairSync('ec', { namedCurve: NAMED_CURVE })],
    ['its point as octets', 'node', () => own.publicKey.export({ format: 'raw-public' })],
    ["the peer's point", 'node', () => createPublicKey(pem)],
    ['agreement', 'node', () => diffieHellman({ privateKey: own.privateKey, publicKey: peer })],
    ['two hashes of the KDF', 'node', () => [hash('sha256', kdf, 'buffer'), hash('sha256', kdf, 'buffer')]],
    [
      'two ciphers with their octets',
      'node',
      () => {
        for (let stream = 0; stream < 2; stream++)
          createCipheriv('aes-128-cbc', createSecretKey(key), ZERO_IV).update(octets);
      },
    ],
    ['signature', 'node', () => sign('sha256', message, own.privateKey)],
  ];
}

/** None where `koffi` is not installed. */
function openSslCalls(): (readonly [string, Column, () => unknown])[] {
  const requireKoffi = () => createRequire(import.meta.url)('koffi') as Koffi;
  const f = functionsBy(requireKoffi);
  if (f === null) return [];
  const program = requireKoffi().load(null);
  const signDigest = program.func('void *ECDSA_do_sign(const uint8_t *digest, int length, void *key)');
  const freeSignature = program.func('void ECDSA_SIG_free(void *signature)');
  const nid = f.nidOf('prime256v1');
  const keyPair = () => {
    const key = f.newKey(nid);
    f.generateKey(key);
    return key;
  };
  const [own, theirs] = [keyPair(), keyPair()];
  const group = f.groupOf(own);
  const [octets, secret] = [Buffer.alloc(65), Buffer.alloc(32)];
  const digest = randomBytes(32);
  f.writePoint(group, f.publicPointOf(theirs), 4, octets, 65, null);
  const peerPoint = Buffer.from(octets);
  return [
    ['key pair', 'openSsl', () => f.freeKey(keyPair())],
    ['its point as octets', 'openSsl', () => f.writePoint(group, f.publicPointOf(own), 4, octets, 65, null)],
    [
      "the peer's point",
      'openSsl',
      () => {
        const point = f.newPoint(group);
        f.readPoint(group, point, peerPoint, 65, null);
        f.freePoint(point);
      },
    ],
    ['agreement', 'openSsl', () => f.agree(secret, 32, f.publicPointOf(theirs), own, null)],
    ['signature', 'openSsl', () => freeSignature(signDigest(digest, 32, own))],
  ];
}

function nobleCalls(): (readonly [string, Column, () => unknown])[] {
  const [own, theirs] = [p256.utils.randomSecretKey(), p256.utils.randomSecretKey()];
  const peer = p256.getPublicKey(theirs, false);
  const message = randomBytes(189);
  return [
    ['key pair', 'noble', () => p256.getPublicKey(p256.utils.randomSecretKey(), false)],
    ["the peer's point", 'noble', () => p256.Point.fromBytes(peer).assertValidity()],
    ['agreement', 'noble', () => p256.getSharedSecret(own, peer, false)],
    ['signature', 'noble', () => p256.sign(message, own)],
  ];
}

const SUITE = suiteByName('p256');
const oneTimeKey = () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: NAMED_CURVE });
  return publicKey.export({ format: 'raw-public' });
};

/** What `prepareBinding` and `assemble` do, in its order. */
function ourSteps({ segments, metadataDer, eid }: Profile): (readonly [string, () => unknown])[] {
  const otpk = oneTimeKey();
  const key = SUITE.oneTimeKey(otpk);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: NAMED_CURVE });
  const ppk = generatePpk(randomBytes);
  const [hostId, eidOctets, transactionId, message] = [16, 16, 16, 189].map((length) =>
    randomBytes(length),
  ) as [Buffer, Buffer, Buffer, Buffer];
  const agreed = key.encapsulate();
  const derive = () => deriveSessionKeys(SUITE, { ...agreed }, hostId, eidOctets);
  const keys = derive();
  const [configureIsdp, replaceSessionKeys] = [Buffer.alloc(3), Buffer.alloc(60)];
  return [
    ["the one-time key's point on its curve", () => SUITE.oneTimeKey(otpk)],
    ['key pair, points and agreement', () => key.encapsulate()],
    ['session keys', derive],
    [
      'elements sealed under them',
      () => {
        const sealer = new BspSealer(keys);
        const out = new OctetWriter(512);
        sealer.encrypt(TAG_87, configureIsdp, out);
        sealer.macOnly(metadataDer, out);
        sealer.encrypt(TAG_87, replaceSessionKeys, out);
        sealer.authenticate(out);
        sealer.wipe();
      },
    ],
    [
      'EID, metadata and further elements read and written',
      () => {
        encodeEid(checkEid(eid));
        const { raw } = readSingle(metadataDer, STORE_METADATA, 'StoreMetadataRequest');
        const part = encodeUnsignedPart(SUITE.channel, { transactionId, hostId, ...agreed });
        return [encodeConfigureIsdp({}), encodeReplaceSessionKeys(ppk), smdpSignInput(part, otpk), raw];
      },
    ],
    [
      'the package put into one buffer',
      () => {
        const out = new OctetWriter(segments.length + 512);
        out.put(segments);
        return out;
      },
    ],
    ['signature, and as r ‖ s', () => decodeEcdsaSignature(SUITE.curve, sign('sha256', message, privateKey))],
  ];
}

function wholeBind({ segments, metadataDer, eid }: Profile): () => Promise<unknown> {
  const otpk = oneTimeKey();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: NAMED_CURVE });
  const [hostId, transactionId] = [randomBytes(16), randomBytes(16)];
  const ppk = generatePpk(randomBytes);
  return () =>
    bindProfile({
      eid,
      euiccOtpk: SUITE.oneTimeKey(otpk),
      metadataDer,
      transactionId,
      hostId,
      payload: { mode: 'ppk', segments, ppk },
      sign: async ({ message }) => decodeEcdsaSignature(SUITE.curve, sign('sha256', message, privateKey)),
    });
}

/** As two tables, each with its sum. */
export function printBindCalls({ calls, steps, whole }: BindCalls): void {
  const sum = (values: readonly (number | undefined)[]) =>
    values.reduce<number>((all, one) => all + (one ?? 0), 0);
  const cell = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(1));
  const columns = ['node', 'openSsl', 'noble'] as const;
  console.log(
    '\n| call, µs | node:crypto | the same OpenSSL, by koffi | @noble/curves |\n| --- | --- | --- | --- |',
  );
  for (const one of calls)
    console.log(`| ${[one.call, ...columns.map((column) => cell(one[column]))].join(' | ')} |`);
  const sums = columns.map((column) => cell(sum(calls.map((one) => one[column] ?? one.node))));
  console.log(`| all, by node:crypto where a library has none | ${sums.join(' | ')} |`);
  console.log('\n| step of a BPP in PPK mode, µs | |\n| --- | --- |');
  for (const { step, micros } of steps) console.log(`| ${step} | ${micros.toFixed(1)} |`);
  const known = sum(steps.map(({ micros }) => micros));
  console.log(`| all of these | ${known.toFixed(1)} |`);
  console.log(
    `| a whole BPP in the same rounds | ${whole.toFixed(1)} (${((100 * known) / whole).toFixed(0)} % in the steps) |`,
  );
}
