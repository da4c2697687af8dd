import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { DecisionClaims } from '../../shared/service/dual-control/signed-decision.ts';

/** A person with a key of their own, as a browser or a command signs with it. */
export class Signer {
  readonly name: string;
  readonly #privateKey: KeyObject;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer;

  constructor(name: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.name = name;
    this.#privateKey = privateKey;
    this.publicKey = publicKey.export({ format: 'der', type: 'spki' });
  }

  /** `header` and members of `claims` in the place of the right ones. */
  sign(
    claims: Omit<DecisionClaims, 'name' | 'at'> & { readonly name?: string; readonly at?: string },
    nowMs: number,
    header: object = { alg: 'ES256', typ: 'smdpf-approval+jws' },
  ): string {
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const payload = { name: this.name, at: new Date(nowMs).toISOString(), ...claims };
    const input = `${encoded(header)}.${encoded(payload)}`;
    const signature = sign('sha256', Buffer.from(input), {
      key: this.#privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${input}.${signature.toString('base64url')}`;
  }
}
