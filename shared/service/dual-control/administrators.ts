import { createHash, createPublicKey, verify } from 'node:crypto';
import { principalOf } from '../../aws/principal.ts';
import { type Bytes, equal, utf8 } from '../../codec/bytes.ts';
import { CURVES, P256 } from '../../crypto/curves.ts';
import { canonicalSpki } from '../../crypto/ec-key-forms.ts';
import { refuse } from '../../errors.ts';
import type { Digest } from '../../keys/provider.ts';
import { Digest as DigestOf } from '../../keys/provider.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { Actor } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import { type AdministratorRecord, administratorRecord } from '../records/dual-control.ts';
import { ADMINISTRATOR, ledgerKeys, partitions } from '../records/keys.ts';

/** A person's own key: a file, a token, or a key of KMS that only the role of that person may use. */
export interface PersonalKey {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Bytes;
  /** ECDSA on P-256, raw r ‖ s. */
  sign(digest: Digest): Promise<Bytes>;
}

/** A registered administrator whose key is at hand. */
export interface Identity {
  readonly name: string;
  readonly key: PersonalKey;
  /** `awsRole` where AWS has said too that it is that person's role who acts. */
  readonly knownBy: 'key' | 'awsRole';
}

const sha256 = (octets: Bytes) => createHash('sha256').update(octets).digest('hex');

/** The register of persons who administer. A name is never given a second key, and a key never a second name. */
export class Administrators {
  readonly #ledger: Ledger;
  readonly #now: () => number;

  constructor(ledger: Ledger, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
  }

  /** All that were ever registered, those who were removed too. */
  async list(): Promise<readonly AdministratorRecord[]> {
    const items = await scanAll(this.#ledger, partitions.dualControl, { prefix: ADMINISTRATOR });
    return items.map(administratorRecord.from);
  }

  async active(): Promise<readonly AdministratorRecord[]> {
    return (await this.list()).filter(({ removedAt }) => removedAt === undefined);
  }

  /** `awsRole`: the principal that this person acts as, beside the key; see aws/principal.ts. */
  async add(name: string, publicKey: Bytes, by: Actor, awsRole?: string): Promise<void> {
    const spki = canonicalSpki(publicKey);
    if (!equal(spki.subarray(0, P256.spkiPrefix.length), P256.spkiPrefix)) {
      const curve = CURVES.find((one) => equal(spki.subarray(0, one.spkiPrefix.length), one.spkiPrefix));
      refuse(
        'securityConfiguration',
        `the key of an administrator is on p256, and this one on ${curve?.name ?? 'no curve'}`,
      );
    }
    const principal = awsRole === undefined ? undefined : principalOf(awsRole);
    for (const known of (await this.list()).filter((one) => one.name !== name)) {
      if (equal(known.publicKey, spki))
        refuse('requesterNotAllowed', `this key is that of ${known.name}: one person has one name`);
      if (principal !== undefined && known.awsRole === principal)
        refuse('requesterNotAllowed', `${principal} is ${known.name}: one role is one person`);
    }
    const about = { administrator: name, publicKey: sha256(spki), ...present({ awsRole: principal }) };
    await changeItem(this.#ledger, ledgerKeys.administrator(name), (item) => {
      const known = item && administratorRecord.from(item);
      const isSame = known !== undefined && equal(known.publicKey, spki) && known.awsRole === principal;
      if (isSame && known.removedAt === undefined) return unchanged();
      if (known !== undefined)
        refuse(
          'requesterNotAllowed',
          `${name} is registered with another key or role, or was removed: take another name`,
        );
      const record = { name, publicKey: spki, ...present({ awsRole: principal }), addedAt: this.#now() };
      const line = { event: 'administrator.added', by, about } as const;
      return becomes(administratorRecord.to(record), undefined, [
        auditWrite(line, `administrator-${about.publicKey}`, this.#now()),
      ]);
    });
  }

  async remove(name: string, by: Actor): Promise<void> {
    await changeItem(this.#ledger, ledgerKeys.administrator(name), (item) => {
      if (item === undefined) refuse('requesterUnknown', `no administrator is registered as ${name}`);
      const known = administratorRecord.from(item);
      if (known.removedAt !== undefined) return unchanged();
      const about = { administrator: name, publicKey: sha256(known.publicKey) };
      const line = { event: 'administrator.removed', by, about } as const;
      return becomes(administratorRecord.to({ ...known, removedAt: this.#now() }), undefined, [
        auditWrite(line, `administrator-removed-${about.publicKey}`, this.#now()),
      ]);
    });
  }

  /**
   * The person of this key, who shows its private part now; refuses a key that nobody is registered with. Of a person with a role
   * of AWS, `caller` has to be that role: the ARN that STS gives whoever acts, asked where it is needed.
   */
  async identify(key: PersonalKey, caller: () => Promise<string>): Promise<Identity> {
    const spki = canonicalSpki(key.publicKey);
    const found = (await this.active()).find(({ publicKey }) => equal(publicKey, spki));
    if (found === undefined)
      refuse('requesterUnknown', 'no administrator is registered with this key: smdpf administrator list');
    const shown = await signedBy(key, 'smdpf-identity+jws', { at: this.#now() });
    if (!holds(shown, found.publicKey))
      refuse('requesterUnknown', 'the key does not sign as the registered one');
    if (found.awsRole === undefined) return { name: found.name, key, knownBy: 'key' };
    const principal = principalOf(await caller());
    if (principal !== found.awsRole)
      refuse('requesterUnknown', `${found.name} acts as ${found.awsRole}, and this is ${principal}`);
    return { name: found.name, key, knownBy: 'awsRole' };
  }
}

/** A compact JWS (RFC 7515, ES256) by a person's key. */
export async function signedBy(key: PersonalKey, typ: string, payload: object): Promise<string> {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encoded({ alg: 'ES256', typ })}.${encoded(payload)}`;
  const signature = await key.sign(DigestOf.of(utf8(input)));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

export function holds(jws: string, spki: Bytes): boolean {
  const at = jws.lastIndexOf('.');
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const signature = Buffer.from(jws.slice(at + 1), 'base64url');
  return verify('sha256', Buffer.from(jws.slice(0, at)), { key, dsaEncoding: 'ieee-p1363' }, signature);
}
