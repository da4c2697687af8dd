import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Bytes } from '../codec/bytes.ts';
import { Fault, refuse } from '../errors.ts';
import { present } from '../present.ts';
import type { ByteRange, LinkHolder, ObjectRef } from './vault.ts';

/**
 * Transfer links of the embedded server, the counterpart of S3 presigned URLs: `<base>/transfer/<token>`. A token
 * is `base64url(JSON claim).base64url(HMAC-SHA256)`; the party that it was made for may do the one thing it names until
 * it expires, and nothing else. A link of no party is of no use at the server's door.
 */
export type Claim =
  | {
      readonly operation: 'download';
      readonly ref: ObjectRef;
      readonly expiresAtSeconds: number;
      readonly holder?: LinkHolder;
    }
  | {
      readonly operation: 'upload';
      readonly name: string;
      readonly size: number;
      readonly sha256: string;
      readonly expiresAtSeconds: number;
      readonly holder?: LinkHolder;
    };

/** What a valid token allows; the embedded server carries it out. */
export type Transfer =
  | {
      readonly operation: 'download';
      readonly holder: LinkHolder | undefined;
      readonly ref: ObjectRef;
      /** The octets, or a range of them; a whole read ends with a Fault if their hash is wrong. */
      read(range?: ByteRange): AsyncIterable<Bytes>;
    }
  | {
      readonly operation: 'upload';
      readonly holder: LinkHolder | undefined;
      readonly name: string;
      readonly size: number;
      readonly sha256: string;
      /**
       * Stores the body if it has exactly this size and SHA-256 (`transferMismatch` otherwise, and nothing is
       * stored). The same content a second time is answered with the object that the first made.
       */
      accept(body: AsyncIterable<Bytes>): Promise<ObjectRef>;
    };

/** A vault whose links the server itself answers. */
export interface TransferGate {
  /** What the holder of this token may do at this time; refuses `transferInvalid` or `transferExpired`. */
  openTransfer(token: string, now: Date): Transfer;
}

/** Octets; a shorter secret could be guessed. */
const SECRET_MINIMUM = 32;
/** Characters; a longer token cannot be one of ours. */
const TOKEN_LIMIT = 2048;

export class TransferSigner {
  readonly #key: Bytes;

  /** `secret`: at least 32 random octets, the same in every process that shares the vault. */
  constructor(secret: Bytes) {
    if (secret.length < SECRET_MINIMUM)
      throw new Fault('configuration', 'the transfer secret is under 32 octets');
    // A key of its own, should the secret serve elsewhere as well.
    this.#key = createHmac('sha256', secret).update('smdpf transfer token v1').digest();
  }

  sign(claim: Claim): string {
    const payload = Buffer.from(JSON.stringify(claim)).toString('base64url');
    return `${payload}.${this.#mac(payload).toString('base64url')}`;
  }

  /** The claim of a token made by `sign`; refuses `transferInvalid` or `transferExpired`. */
  verify(token: string, now: Date): Claim {
    const [payload, mac, ...rest] = token.length <= TOKEN_LIMIT ? token.split('.') : [];
    if (payload === undefined || mac === undefined || rest.length > 0) invalid();
    const expected = this.#mac(payload);
    const received = Buffer.from(mac, 'base64url');
    // Compared in its canonical spelling too: base64url has several for the same octets.
    if (
      received.length !== expected.length ||
      !timingSafeEqual(received, expected) ||
      received.toString('base64url') !== mac
    ) {
      invalid();
    }
    const claim = claimOf(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    if (now.getTime() >= claim.expiresAtSeconds * 1000)
      refuse('transferExpired', 'the transfer link has expired');
    return claim;
  }

  #mac(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}

/** What `sign` has put into a token, looked at again: another release may have signed it. */
function claimOf(value: unknown): Claim {
  if (!isObject(value) || typeof value.expiresAtSeconds !== 'number') invalid();
  const { operation, expiresAtSeconds } = value;
  const common = { expiresAtSeconds, ...present({ holder: holderOf(value.holder) }) };
  if (operation === 'download') {
    if (!isObject(value.ref)) invalid();
    const { version } = value.ref;
    if (typeof version !== 'string') invalid();
    return { operation, ref: { ...contentOf(value.ref), version }, ...common };
  }
  if (operation !== 'upload') invalid();
  return { operation, ...contentOf(value), ...common };
}

function holderOf(value: unknown): LinkHolder | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value) || typeof value.party !== 'string') invalid();
  const { party, asked } = value;
  if (asked === undefined) return { party };
  if (!isObject(asked)) invalid();
  const { requestId, name } = asked;
  if (typeof requestId !== 'string' || typeof name !== 'string') invalid();
  return { party, asked: { requestId, name } };
}

function contentOf({ name, size, sha256 }: Readonly<Record<string, unknown>>) {
  if (typeof name !== 'string' || typeof size !== 'number' || typeof sha256 !== 'string') invalid();
  return { name, size, sha256 };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function invalid(): never {
  return refuse('transferInvalid', 'the transfer link is not one of this server');
}
