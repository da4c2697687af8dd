import { createHash } from 'node:crypto';
import { Fault } from '../../errors.ts';
import type { Item } from '../../ledger/ledger.ts';
import { callOfNotice } from '../records/keys.ts';
import { noticeRecord } from '../records/notice.ts';
import { isObject } from '../records/schema.ts';

/** Octets of an answer that names all notices of a batch, and room for spaces. */
export const ANSWER_OCTETS = 64 * 1024;

export interface Batch {
  /** Its functionCallIdentifier, 32 hexadecimal digits: the same where the same notices go together again. */
  readonly call: string;
  /** JSON: ProfileLoadingInfoBatch of openapi.yaml. */
  readonly content: string;
}

/** One body for several notices of an order: each is in it octet by octet as it would be posted alone. */
export function batchOf(notices: readonly Item[]): Batch {
  const records = notices.map(noticeRecord.from);
  const contents = records.map(({ content }) => content);
  const calls = notices.map(({ sort }) => callOfNotice(sort));
  const call = createHash('sha256').update(calls.join('\n')).digest('hex').slice(0, 32);
  const header = {
    functionRequesterIdentifier: requesterOf(contents[0] ?? ''),
    functionCallIdentifier: call,
  };
  const around = JSON.stringify({ header, orderId: records[0]?.orderId });
  return { call, content: `${around.slice(0, -1)},"notifications":[${contents.join(',')}]}` };
}

/** OID of this SM-DPf, as the notice was written with. */
function requesterOf(content: string): string {
  const body: unknown = JSON.parse(content);
  const header = isObject(body) ? body.header : undefined;
  return isObject(header) ? String(header.functionRequesterIdentifier) : '';
}

/**
 * Names of the notices that an answer refuses: `refused` has their functionCallIdentifiers, and an answer without it, or
 * without a body, takes all. What is no such answer takes none: it may be that of somebody who did not read the call.
 */
export function refusedOf(answer: string, notices: readonly Item[]): ReadonlySet<string> {
  if (answer.trim() === '') return new Set();
  const body = parsed(answer);
  const refused: unknown = isObject(body) ? (body.refused ?? []) : undefined;
  if (!Array.isArray(refused)) throw noAnswer('is no JSON object, or its member refused is no list');
  const names = new Map(notices.map(({ sort }) => [callOfNotice(sort), sort]));
  return new Set(
    refused.map((call: unknown) => {
      const name = typeof call === 'string' ? names.get(call) : undefined;
      return name ?? fail('refuses what was not in the call');
    }),
  );
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}

/** Nothing that the receiver wrote. */
const noAnswer = (what: string) =>
  new Fault('notifier', `the answer to the callback ${what}`, { retryable: true });

function fail(what: string): never {
  throw noAnswer(what);
}
