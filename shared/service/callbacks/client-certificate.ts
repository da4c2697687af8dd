import { createHash, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { type Bytes, equal } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import type { Log } from '../../events/log-events.ts';
import { asRead, becomes, changeItem, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Sign } from '../../pki/issue.ts';
import type { Actor } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import {
  type CallbackClient,
  type CallbackClientRequest,
  callbackClient,
  callbackClientRequest,
} from '../records/callback-keys.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type CallbackContext, LOOK_AGAIN_MS } from './callback-context.ts';
import { noteSealedKey, openSealedKey, type SealedKey, sealNewKey } from './sealed-key.ts';

/** What TLS shows to callback servers: PEM. */
export interface TlsClient {
  /** The client certificate, then those between it and its CA. */
  readonly cert: string;
  readonly key: string;
}

/** Issues a client certificate for a public key (SubjectPublicKeyInfo): DER, itself first. */
export type IssueClient = (spki: Bytes) => Promise<readonly Bytes[]>;

const DAY_MS = 86_400_000;
/** What a certificate of our own making is valid for. */
const SELF_SIGNED_DAYS = 397;
/** Days before the end from which on every check tells of it. */
const ENDS_SOON_DAYS = 30;

/**
 * The TLS client certificate by which this server calls Operators. Its key is the one private key that is no key
 * provider's, since TLS wants it in this process: it is at rest sealed under the wrapping key, and opened by whoever
 * posts callbacks alone. Where nobody gave a certificate, a self-signed one stands in, which an Operator can pin.
 */
export class ClientCertificate {
  readonly #context: CallbackContext;
  #kept: { readonly client: TlsClient; readonly publicKey: Bytes; readonly until: number } | undefined;

  constructor(context: CallbackContext) {
    this.#context = context;
  }

  /** What to show at this moment. */
  async current(): Promise<TlsClient> {
    const now = this.#context.now();
    if (this.#kept !== undefined && now < this.#kept.until) return this.#kept.client;
    const record = (await this.inUse()) ?? (await this.#standIn());
    const cert = record.certificates.map(pem).join('');
    const kept = this.#kept;
    const client = kept?.client.cert === cert ? kept.client : { cert, key: pemOf(await this.#open(record)) };
    this.#kept = { client, publicKey: record.publicKey, until: now + LOOK_AGAIN_MS };
    return client;
  }

  async inUse(): Promise<CallbackClient | undefined> {
    const item = await this.#context.ledger.get(ledgerKeys.callbackKey('client'));
    return item && callbackClient.from(item);
  }

  /** The key that waits for its certificate. */
  async waiting(): Promise<CallbackClientRequest | undefined> {
    const item = await this.#context.ledger.get(ledgerKeys.callbackKey('client-next'));
    return item && callbackClientRequest.from(item);
  }

  /** A new key and certificate in place of those in use; self-signed where nobody issues it. */
  async replace(by: Actor, issue?: IssueClient): Promise<CallbackClient> {
    const { privateKey, stored } = await sealNewKey(this.#context, 'client');
    const certificates = await (issue?.(stored.publicKey) ?? this.#selfSigned(privateKey, stored.publicKey));
    return await this.#install(stored, certificates, by);
  }

  /**
   * The certification request (DER) of a new key, for a CA of the Operator's choice. Asked again while that key still
   * waits, it is the same.
   */
  async request(): Promise<Bytes> {
    const waiting = await this.waiting();
    if (waiting !== undefined) return waiting.request;
    const { privateKey, stored } = await sealNewKey(this.#context, 'client');
    const subject = { commonName: this.#context.settings.address };
    const { requestTlsClient } = await issuing();
    const request = await requestTlsClient({ subject, spki: stored.publicKey }, signer(privateKey));
    const made = { ...stored, request, since: this.#context.now() };
    const kept = await changeItem<CallbackClientRequest>(
      this.#context.ledger,
      ledgerKeys.callbackKey('client-next'),
      (item) =>
        item === undefined
          ? becomes(callbackClientRequest.to(made), made)
          : unchanged(callbackClientRequest.from(item)),
    );
    await noteSealedKey(this.#context, 'client', kept);
    return kept.request;
  }

  /** Takes the certificate of the key that waits into use: DER, itself first. */
  async install(certificates: readonly Bytes[], by: Actor): Promise<CallbackClient> {
    const [leaf] = certificates.map(clientCertificate);
    const spki = leaf?.publicKey.export({ type: 'spki', format: 'der' });
    const inUse = await this.inUse();
    if (inUse !== undefined && spki !== undefined && equal(inUse.publicKey, spki))
      return await this.#install(inUse, certificates, by);
    const waiting = await this.waiting();
    if (waiting === undefined || spki === undefined || !equal(waiting.publicKey, spki))
      throw new Fault(
        'configuration',
        'the certificate is not of the key that waits for one, nor of the one in use',
      );
    return await this.#install(waiting, certificates, by);
  }

  /** Takes a key that was made elsewhere into use, with its certificates. */
  async bring(privateKey: KeyObject, certificates: readonly Bytes[], by: Actor): Promise<CallbackClient> {
    const [leaf] = certificates.map(clientCertificate);
    if (leaf === undefined || !leaf.checkPrivateKey(privateKey))
      throw new Fault('configuration', 'the private key is not the key of the certificate');
    const { stored } = await sealNewKey(this.#context, 'client', privateKey);
    return await this.#install(stored, certificates, by);
  }

  /** Tells the log where the certificate in use has ended or ends soon. */
  async tellEnding(log: Log): Promise<void> {
    const record = await this.inUse();
    if (record === undefined) return;
    const { sha256, notAfterMs, daysLeft } = describeClient(record, this.#context.now());
    if (daysLeft >= ENDS_SOON_DAYS) return;
    const notAfter = new Date(notAfterMs).toISOString();
    log({ event: 'alarm.callback.certificate', certificate: sha256, notAfter, daysLeft });
  }

  async #standIn(): Promise<CallbackClient> {
    const { ledger } = this.#context;
    const { privateKey, stored } = await sealNewKey(this.#context, 'client');
    const certificates = await this.#selfSigned(privateKey, stored.publicKey);
    const made: CallbackClient = { ...bare(stored), certificates, since: this.#context.now() };
    const place = ledgerKeys.callbackKey('client');
    const { done } = await ledger.write({ put: place, attributes: callbackClient.to(made), when: 'absent' });
    const kept = done ? made : ((await this.inUse()) ?? made);
    await noteSealedKey(this.#context, 'client', kept);
    return kept;
  }

  async #install(key: SealedKey, certificates: readonly Bytes[], by: Actor): Promise<CallbackClient> {
    const { ledger, now } = this.#context;
    const record: CallbackClient = {
      ...bare(key),
      certificates: certificates.map((der) => Uint8Array.from(der)),
      since: now(),
    };
    const certificate = fingerprint(certificates[0]!);
    await changeItems(ledger, async () => {
      const [inUse, waiting] = await ledger.getMany([
        ledgerKeys.callbackKey('client'),
        ledgerKeys.callbackKey('client-next'),
      ]);
      const isWaiting = waiting && equal(callbackClientRequest.from(waiting).publicKey, key.publicKey);
      return writes([
        {
          put: ledgerKeys.callbackKey('client'),
          attributes: callbackClient.to(record),
          when: asRead(inUse),
        },
        ...(isWaiting ? [{ remove: waiting, when: { revision: waiting.revision } }] : []),
        auditWrite(
          { event: 'callback.certificate.installed', by, about: { certificate } },
          `callback-client-${(inUse?.revision ?? 0) + 1}`,
          now(),
        ),
      ]);
    });
    await noteSealedKey(this.#context, 'client', key);
    return record;
  }

  async #selfSigned(privateKey: KeyObject, spki: Bytes): Promise<Bytes[]> {
    const { now, settings } = this.#context;
    const input = {
      subject: { commonName: settings.address },
      spki,
      serialNumber: randomBytes(16),
      notBeforeMs: now() - DAY_MS,
      notAfterMs: now() + SELF_SIGNED_DAYS * DAY_MS,
    };
    const { selfSignTlsClient } = await issuing();
    return [await selfSignTlsClient(input, signer(privateKey))];
  }

  #open(record: CallbackClient): Promise<KeyObject> {
    return openSealedKey(this.#context, 'client', record);
  }
}

/** A certificate as people want to see it. */
export function describeClient({ certificates }: CallbackClient, now: number) {
  const leaf = new X509Certificate(certificates[0]!);
  const notAfterMs = Date.parse(leaf.validTo);
  return {
    subject: leaf.subject,
    issuer: leaf.issuer,
    sha256: fingerprint(certificates[0]!),
    notAfterMs,
    daysLeft: Math.floor((notAfterMs - now) / DAY_MS),
  };
}

function clientCertificate(der: Bytes): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new Fault('configuration', 'it is no X.509 certificate', { cause });
  }
}

const bare = ({ publicKey, sealed, wrappedKey }: SealedKey): SealedKey => ({ publicKey, sealed, wrappedKey });

const fingerprint = (der: Bytes) => createHash('sha256').update(der).digest('hex');

const signer =
  (key: KeyObject): Sign =>
  async (message) =>
    sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });

const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

const pem = (der: Bytes) => new X509Certificate(der).toString();

/** Loaded with the first certificate that is made: most functions on AWS post no callbacks, and their bundles lack it. */
const issuing = () => import('../../pki/issue.ts');
