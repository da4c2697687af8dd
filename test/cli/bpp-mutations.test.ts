import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inspectArtefact } from '../../cli/inspect/inspect.ts';
import type { Field } from '../../cli/inspect/shape.ts';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { type BindingPayload, bindProfile } from '../../shared/profile/bind.ts';
import { generatePpk } from '../../shared/profile/ppk.ts';
import { protectProfile } from '../../shared/profile/protect.ts';
import { encodeStoreMetadata } from '../../shared/rsp/store-metadata.ts';
import { sign } from '../../sim/curve.ts';
import { encodeLoadPackage, SoftEuicc, segmentBpp } from '../../sim/index.ts';
import { buildUpp } from '../sim/bpp-builder.ts';
import { Bench, ICCID, readResult, sendCommands } from '../sim/installer.ts';
import { effort } from '../support/effort.ts';
import { randomNumbers } from '../support/random-numbers.ts';

const MUTATIONS = effort({ short: 300, long: 1_200 });

// bppCommandId and errorReason (SGP.22 annex H)
const COMMAND = {
  configureISDP: 1,
  storeMetadata: 2,
  replaceSessionKeys: 4,
  loadProfileElements: 5,
} as const;
const REASON = {
  invalidSignature: 2,
  invalidTransactionId: 3,
  unsupportedCrtValues: 4,
  unsupportedRemoteOperationType: 5,
  bspSecurityError: 8,
} as const;

/** What the eUICC must answer to a wrong bit in the value of a leaf. */
const EXPECTED: Readonly<Record<string, { readonly command: number; readonly reason: number }>> = {
  remoteOpId: { command: 0, reason: REASON.unsupportedRemoteOperationType },
  transactionId: { command: 0, reason: REASON.invalidTransactionId },
  keyType: { command: 0, reason: REASON.unsupportedCrtValues },
  keyLen: { command: 0, reason: REASON.unsupportedCrtValues },
  hostId: { command: 0, reason: REASON.invalidSignature },
  smdpOtpk: { command: 0, reason: REASON.invalidSignature },
  smdpSign: { command: 0, reason: REASON.invalidSignature },
  configureIsdp: { command: COMMAND.configureISDP, reason: REASON.bspSecurityError },
  storeMetadata: { command: COMMAND.storeMetadata, reason: REASON.bspSecurityError },
  replaceSessionKeys: { command: COMMAND.replaceSessionKeys, reason: REASON.bspSecurityError },
  loadProfileElements: { command: COMMAND.loadProfileElements, reason: REASON.bspSecurityError },
};

/** Malformed input, structure and security errors: what a wrong tag or length may lead to. */
const FRAMING_REASONS = [1, 2, 3, 4, 5, 7, 8];

const bench = new Bench();
const transactionId = randomBytes(16);
const { keyId, otPk } = bench.key();
const upp = buildUpp({ iccid: ICCID });
const ppk = generatePpk(randomBytes);
const payloads: readonly BindingPayload[] = [
  { mode: 'ppk', segments: protectProfile(upp, ppk), ppk },
  { mode: 'session', upp },
];

/** A package of the server for the eUICC of the bench. */
function bound(payload: BindingPayload): Promise<Bytes> {
  return bindProfile({
    eid: bench.personalised.eid,
    euiccOtpk: suiteByName('p256').oneTimeKey(otPk),
    metadataDer: encodeStoreMetadata({ iccid: ICCID, serviceProviderName: 'SP', profileName: 'P' }),
    transactionId,
    hostId: randomBytes(8),
    payload,
    sign: async ({ message }) => sign(bench.dpPbKey, message),
  });
}

function load(bpp: Bytes) {
  const euicc = SoftEuicc.create(bench.personalised);
  const loadPackage = encodeLoadPackage({ transactionId, keyId, chain: bench.chain });
  const pir = sendCommands(euicc, [loadPackage, ...segmentBpp(bpp)]);
  return { euicc, outcome: readResult(pir, bench.personalised.euiccCert) };
}

interface Leaf {
  readonly name: string;
  readonly valueFrom: number;
  readonly end: number;
}

/** The innermost elements that are sent; the metadata inside the 88s are told apart by inspect, not by the wire. */
function* leavesOf(fields: readonly Field[], bpp: Bytes): Generator<Leaf> {
  for (const field of fields) {
    if (field.name === 'storeMetadataRequest') continue;
    if (field.fields !== undefined) yield* leavesOf(field.fields, bpp);
    else {
      const tagLength = field.tag.length / 2;
      const initial = bpp[field.offset + tagLength]!;
      const lengthOctets = initial < 0x80 ? 1 : 1 + (initial & 0x7f);
      yield {
        name: field.name.replace(/\[\d+\]$/, ''),
        valueFrom: field.offset + tagLength + lengthOctets,
        end: field.offset + field.length,
      };
    }
  }
}

describe.each(payloads)('a Bound Profile Package with one wrong bit ($mode)', (payload) => {
  it(`is refused with the code of what is wrong, ${MUTATIONS} times`, async () => {
    const bpp = await bound(payload);
    expect(load(bpp).outcome).toBe('installed');
    const leaves = [...leavesOf(inspectArtefact(bpp).fields, bpp)];
    const below = randomNumbers(bpp.length);
    const seen = new Map<string, number>();
    for (let made = 0; made < MUTATIONS; made++) {
      const at = below(bpp.length);
      const wrong = Buffer.from(bpp);
      wrong[at]! ^= 1 << below(8);
      const { euicc, outcome } = load(wrong);
      const leaf = leaves.find(({ valueFrom, end }) => at >= valueFrom && at < end);
      expect(euicc.installedIccids, `octet ${at}`).toEqual([]);
      if (leaf === undefined) {
        if (outcome === 'installed') expect.fail(`octet ${at} is a tag or length and was not missed`);
        expect(FRAMING_REASONS, `octet ${at}`).toContain(outcome.reason);
      } else {
        expect(outcome, `octet ${at} in ${leaf.name}`).toEqual(EXPECTED[leaf.name]);
        seen.set(leaf.name, (seen.get(leaf.name) ?? 0) + 1);
      }
    }
    for (const name of ['smdpOtpk', 'smdpSign', 'configureIsdp', 'storeMetadata', 'loadProfileElements'])
      expect(seen.get(name), name).toBeGreaterThan(0);
  });

  it('in each octet of each value is refused with the code of that value', async () => {
    const bpp = await bound(payload);
    const names = new Set<string>();
    for (const { name, valueFrom, end } of leavesOf(inspectArtefact(bpp).fields, bpp)) {
      names.add(name);
      // each octet of the short ones, some of the long ones: above they are hit often enough
      for (let at = valueFrom; at < end; at += end - valueFrom > 100 ? 7 : 1) {
        const wrong = Buffer.from(bpp);
        wrong[at]! ^= 1 << (at % 8);
        expect(load(wrong).outcome, `octet ${at} in ${name}`).toEqual(EXPECTED[name]);
      }
    }
    const expected = Object.keys(EXPECTED).filter(
      (name) => payload.mode === 'ppk' || name !== 'replaceSessionKeys',
    );
    expect([...names].sort()).toEqual(expected.sort());
  });
});
