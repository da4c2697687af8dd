import { createHash } from 'node:crypto';
import { type Bytes, equal, toHex } from '../../codec/bytes.ts';
import { keyIdentifier } from '../../crypto/ec-key-forms.ts';
import { SmdpfError } from '../../errors.ts';
import { messageOf, type OwnText, ownText } from '../../events/error-record.ts';
import { expiryNotices } from '../../keys/certificate-expiry.ts';
import type { KeyDescription, KeyRole } from '../../keys/provider.ts';
import type { KeyRegistry } from '../../keys/registry.ts';
import { scan } from '../../ledger/scan.ts';
import { type Certificate, decodeCertificate } from '../../pki/certificate.ts';
import { present } from '../../present.ts';
import type { Context } from '../context.ts';
import type { AssignedRole } from '../records/custody.ts';
import { ledgerKeys } from '../records/keys.ts';
import { dpPbRecord } from '../records/trust.ts';
import { waitingKeys } from './waiting-keys.ts';
import type { WrappingRotation } from './wrapping-rotation.ts';

/** A key of this server, with its certificate where it is one for binding. */
export interface KeyEntry {
  readonly role: KeyRole;
  readonly uri: string;
  /**
   * `waiting`: made by a command, and not in use yet. `active`: in use. `former`: replaced, and still needed until it is retired. `retired`: never used again; the
   * certificate stays known, since results may come years later.
   */
  readonly state: 'waiting' | 'active' | 'former' | 'retired';
  /** Of a waiting key: since when. */
  readonly since?: Date;
  /** What the backend says of the key; absent where it does not answer, or where nobody asks it any more. */
  readonly description?: KeyDescription;
  readonly certificate?: CertificateEntry;
  /** Of a wrapping key: data keys that it wraps. */
  readonly dataKeys?: number;
  /** Why the key cannot be used now. */
  readonly problem?: OwnText;
}

export interface CertificateEntry {
  /** Lower-case hexadecimal; the certificate's name on this server. */
  readonly sha256: string;
  readonly ciPkId: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** See shared/keys/certificate-expiry.ts; absent where there is nothing to be said. */
  readonly expiry?: 'notYetValid' | 'expired' | 'urgent' | 'soon';
  readonly daysLeft: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The keys of this server with what is known of them, and whether each can do its work. */
export class KeyInventory {
  readonly #context: Context;
  readonly #registry: KeyRegistry;
  readonly #rotation: WrappingRotation;

  constructor(context: Context, registry: KeyRegistry, rotation: WrappingRotation) {
    this.#context = context;
    this.#registry = registry;
    this.#rotation = rotation;
  }

  async list(): Promise<KeyEntry[]> {
    const known = [
      ...(await this.#binding()),
      ...(await this.#assigned('delivery')),
      ...(await this.#assigned('wrapping')),
      ...(await this.#assigned('intake')),
      ...(await this.#assigned('longTerm')),
    ];
    return [...known, ...(await this.#waiting(new Set(known.map(({ uri }) => uri))))];
  }

  /**
   * Asks for every key in use whether its backend can use it now and whether it is the key of its certificate, and
   * tells the log what is wrong or ends soon. Returns the keys with a problem.
   */
  async check(): Promise<KeyEntry[]> {
    const inUse = (await this.list()).filter(({ state }) => state !== 'retired' && state !== 'waiting');
    for (const { role, uri, problem, certificate } of inUse) {
      if (problem !== undefined) this.#context.log({ event: 'alarm.key.unusable', role, key: uri, problem });
      if (certificate?.expiry !== undefined && certificate.expiry !== 'notYetValid') {
        const { sha256, notAfter, daysLeft, expiry } = certificate;
        const event = expiry === 'soon' ? 'key.certificate.endsSoon' : 'alarm.key.certificate';
        this.#context.log({
          event,
          certificate: sha256,
          key: uri,
          state: expiry,
          notAfter: notAfter.toISOString(),
          daysLeft,
        });
      }
    }
    return inUse.filter(({ problem }) => problem !== undefined);
  }

  async #binding(): Promise<KeyEntry[]> {
    const entries: KeyEntry[] = [];
    const { partition, sort: prefix } = ledgerKeys.trust('dppb', '');
    for await (const item of scan(this.#context.ledger, partition, { prefix })) {
      const { keyUri: uri, ciPkId, certificates, state } = dpPbRecord.from(item);
      const leaf = decodeCertificate(certificates[0]!, 'dpCertificateInvalid');
      const certificate = this.#certificate(leaf, toHex(ciPkId));
      const entry = { role: 'binding' as const, uri, state, certificate };
      entries.push(
        state === 'retired' ? entry : { ...entry, ...(await this.#present(uri, 'binding', leaf)) },
      );
    }
    return entries;
  }

  async #waiting(known: ReadonlySet<string>): Promise<KeyEntry[]> {
    const waiting = (await waitingKeys(this.#context)).filter(({ uri }) => !known.has(uri));
    return await Promise.all(
      waiting.map(async ({ uri, role, since }) => ({
        role,
        uri,
        state: 'waiting' as const,
        since: new Date(since),
        ...(await this.#present(uri, role)),
      })),
    );
  }

  async #assigned(role: AssignedRole): Promise<KeyEntry[]> {
    const assignment = await this.#context.keyAssignments.find(role);
    if (assignment === undefined) return [];
    const { uri, former } = assignment;
    const keys = [
      { uri, state: 'active' as const },
      ...former.map((one) => ({
        uri: one.uri,
        state: one.retiredAt === undefined ? ('former' as const) : ('retired' as const),
      })),
    ];
    const entries: KeyEntry[] = [];
    for (const key of keys) {
      // of a former delivery or long-term key only the public key is needed, which the ledger has
      const unneeded =
        key.state === 'retired' || (key.state === 'former' && (role === 'delivery' || role === 'longTerm'));
      const present = unneeded ? {} : await this.#present(key.uri, role);
      const dataKeys = role === 'wrapping' ? { dataKeys: await this.#rotation.remaining(key.uri) } : {};
      entries.push({ role, ...key, ...present, ...dataKeys });
    }
    return entries;
  }

  async #present(
    uri: string,
    role: AssignedRole | 'binding',
    leaf?: Certificate,
  ): Promise<Pick<KeyEntry, 'description' | 'problem'>> {
    try {
      const { description, publicKey } =
        role === 'wrapping'
          ? { ...(await this.#context.keyRing.wrapping(uri)), publicKey: undefined }
          : await this.#context.keyRing[role](uri);
      await (await this.#registry.provider(uri)).health(uri);
      return { description, ...present({ problem: mismatch(publicKey, leaf) }) };
    } catch (error) {
      if (!(error instanceof SmdpfError)) throw error;
      return { problem: messageOf(error) };
    }
  }

  #certificate(certificate: Certificate, ciPkId: string): CertificateEntry {
    const now = this.#context.now();
    const [notice] = expiryNotices([certificate], now);
    return {
      sha256: createHash('sha256').update(certificate.raw).digest('hex'),
      ciPkId,
      notBefore: new Date(certificate.notBeforeMs),
      notAfter: new Date(certificate.notAfterMs),
      daysLeft: Math.floor((certificate.notAfterMs - now) / DAY_MS),
      ...present({ expiry: notice?.state }),
    };
  }
}

/** Tells both keys where a key is not that of its certificate. */
function mismatch(publicKey: Bytes | undefined, leaf: Certificate | undefined): OwnText | undefined {
  if (leaf === undefined || publicKey === undefined || equal(leaf.spki, publicKey)) return undefined;
  const [key, certificate] = [publicKey, leaf.spki].map(keyIdentifier);
  return ownText(`the key (SKI ${key}) is not the key of the certificate (SKI ${certificate})`);
}
