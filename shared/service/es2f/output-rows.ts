import { importJWK, type JWK } from 'jose';
import { type Bytes, toHex, wipe } from '../../codec/bytes.ts';
import { suiteByName } from '../../crypto/suite.ts';
import { refuse } from '../../errors.ts';
import type { EligibilityPolicy } from '../../euicc/eligibility.ts';
import type { ProfileValues } from '../../profile/package/parameter.ts';
import { CLASSICAL_ALG, encryptClassical } from './classical-jwe.ts';
import { encryptHybrid, HYBRID_JWE_ALG, hybridRecipient } from './hybrid-jwe.ts';

/**
 * The output rows of a pack in clear, written as its profiles are made: JSON lines, one per profile, in one buffer, so that of the
 * values of a profile nothing is kept but this, and all of it can be wiped.
 */
export class OutputRows {
  #room: Buffer = Buffer.alloc(ROOM_STEP);
  #end = 0;

  /** Adds a line; keys that were drawn are octets. */
  add(values: ProfileValues, iccid: string): void {
    const members: Record<string, unknown> = { ...values, iccid };
    for (const name of Object.keys(members)) {
      const value = members[name];
      if (value instanceof Uint8Array) members[name] = toHex(value);
    }
    const line = `${JSON.stringify(members)}\n`;
    // of a character UTF-8 makes three octets at most
    this.#make(3 * line.length);
    this.#end += this.#room.write(line, this.#end);
  }

  /** The lines so far: a view, until the next one is added. */
  get octets(): Bytes {
    return this.#room.subarray(0, this.#end);
  }

  wipe(): void {
    wipe(this.#room);
    this.#end = 0;
  }

  #make(octets: number): void {
    const needed = this.#end + octets;
    if (needed <= this.#room.length) return;
    const grown = Buffer.alloc(Math.max(needed, 2 * this.#room.length));
    grown.set(this.octets);
    wipe(this.#room);
    this.#room = grown;
  }
}

const ROOM_STEP = 128 * 1024;

/**
 * Output rows for the Operator's HSS or UDM, encrypted to the Operator's own public key
 * (RFC 7516, compact). The protected header names order, pack and number of packs, so that none can be left out or
 * swapped unseen.
 */
export function encryptRows(
  outputKey: Readonly<Record<string, unknown>>,
  rows: Bytes,
  place: { orderId: string; pack: number; packs: number },
): string {
  const header = { order: place.orderId, pack: place.pack, packs: place.packs };
  const hybrid = hybridRecipient(outputKey);
  return hybrid === undefined
    ? encryptClassical(outputKey, rows, header)
    : encryptHybrid(hybrid, rows, header);
}

/**
 * Refuses what is not a public key of RSA (2048 bits and more) or P-256, or of both P-256 and ML-KEM-768; and the first
 * two where the order asks for eUICCs that are safe from quantum computers, whose K would then travel less safely.
 */
export async function checkOutputKey(
  jwk: Readonly<Record<string, unknown>>,
  { suites = [] }: Pick<EligibilityPolicy, 'suites'>,
): Promise<void> {
  if (hybridRecipient(jwk) !== undefined) return;
  await checkClassicalKey(jwk);
  if (asksForQuantumSafe({ suites }))
    refuse(
      'orderInvalid',
      `outputKey: an order for ${suites.join(', ')} alone has its rows encrypted to an AKP key of ${HYBRID_JWE_ALG}`,
    );
}

/** Whether the order takes no eUICC whose BPPs a quantum computer could open. */
export const asksForQuantumSafe = ({ suites = [] }: Pick<EligibilityPolicy, 'suites'>): boolean =>
  suites.length > 0 && suites.every((name) => suiteByName(name).quantumSafe);

async function checkClassicalKey(jwk: Readonly<Record<string, unknown>>): Promise<void> {
  if ('d' in jwk) refuse('orderInvalid', 'outputKey is a private key: keep it, and send the public one');
  const alg =
    jwk.kty === 'RSA'
      ? CLASSICAL_ALG.RSA
      : jwk.kty === 'EC' && jwk.crv === 'P-256'
        ? CLASSICAL_ALG.EC
        : undefined;
  if (alg === undefined)
    refuse(
      'orderInvalid',
      `outputKey is a public key in JWK form: RSA, EC on P-256, or AKP of ${HYBRID_JWE_ALG}`,
    );
  if (jwk.kty === 'RSA' && Buffer.from(String(jwk.n), 'base64url').length < 256) {
    refuse('orderInvalid', 'outputKey has fewer than 2048 bits');
  }
  try {
    await importJWK(jwk as JWK, alg);
  } catch (cause) {
    refuse('orderInvalid', 'outputKey is not a valid public key in JWK form', { cause });
  }
}
