import { createHash, generateKeyPairSync } from 'node:crypto';
import { ownTemplate } from '../shared/profile/package/template/own-profile.ts';
import type { Caller, ClientCertificate, PartyRole } from '../shared/service/api/caller.ts';
import { type CurveName, type PersonalisedEuicc, SimCi, SimEum } from '../sim/index.ts';
import { makeKey } from './keys.ts';

/** Who takes part; made once and used by every history, since certificates and keys are slow to make. */
export interface Party extends Caller {
  readonly certificate: ClientCertificate;
}

/** `number`: of its certificates, of which it may have several. */
export function party(identifier: string, role: PartyRole, number = 0): Party {
  const fingerprint = createHash('sha256').update(`${role} ${identifier} ${number}`).digest('hex');
  const certificate = { fingerprint, notBeforeMs: 0, notAfterMs: Date.UTC(2090, 0) };
  return { identifier, role, fingerprint, certificate };
}

export const OPERATORS = [party('2.999.60', 'operator'), party('2.999.61', 'operator')];
export const MAKERS = [party('2.999.50', 'deviceMaker'), party('2.999.51', 'deviceMaker')];

/** A manufacturer of eUICCs on one curve, below a CI of its own. */
export interface Maker {
  readonly curve: CurveName;
  readonly party: Party;
  readonly ci: SimCi;
  readonly eum: SimEum;
  readonly euiccs: readonly PersonalisedEuicc[];
  /** URIs of binding keys on the curve. */
  readonly bindingKeys: readonly string[];
}

export interface Cast {
  readonly eums: readonly Maker[];
  readonly template: Uint8Array;
  /** Public JWK to which Operators have rows encrypted. */
  readonly outputKey: Readonly<Record<string, unknown>>;
}

/** eUICCs of each curve; on FRP256V1, whose arithmetic is our own and slow, fewer. */
const EUICCS: readonly (readonly [CurveName, number])[] = [
  ['p256', 24],
  ['brainpoolP256r1', 8],
  ['frp256v1', 2],
];
const KEYS_EACH = 4;
const ALGORITHM = {
  p256: 'ecdsa-p256',
  brainpoolP256r1: 'ecdsa-brainpoolP256r1',
  frp256v1: 'ecdsa-frp256v1',
} as const;

export const keyUri = (name: string) => `softkey:path=/world/${name}.key`;
export const WRAPPING_KEYS = Array.from({ length: 12 }, (_, i) => keyUri(`wrapping-${i}`));
export const DELIVERY_KEYS = Array.from({ length: 4 }, (_, i) => keyUri(`delivery-${i}`));

export async function makeCast(): Promise<Cast> {
  for (const uri of WRAPPING_KEYS) await makeKey('aes-256', uri);
  for (const uri of DELIVERY_KEYS) await makeKey('ecdsa-p256', uri);
  const eums: Maker[] = [];
  for (const [i, [curve, count]] of EUICCS.entries()) {
    const ci = SimCi.create({ curve, oid: `2.999.1.${i}`, cn: `CI ${curve}` });
    const organization = `EUM ${curve}`;
    const iin = `8904903${i + 2}`;
    const eum = new SimEum({
      ca: ci.issueEum({ organization, iin, oid: `2.999.5.${i}`, cRLSign: true }),
      ci: ci.certificate,
    });
    const bindingKeys = [0, 1, 2].map((n) => keyUri(`dppb-${curve}-${n}`));
    for (const uri of bindingKeys) await makeKey(ALGORITHM[curve], uri);
    const euiccs = [...eum.production(count, KEYS_EACH)];
    eums.push({ curve, party: party(`2.999.40.${i}`, 'eum'), ci, eum, euiccs, bindingKeys });
  }
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { eums, template: ownTemplate(), outputKey: { ...publicKey.export({ format: 'jwk' }) } };
}
