import type { Bytes } from '../codec/bytes.ts';
import { readSingle, TlvReader, tlvHeader } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';
import { type Chain, encodeChain, readChain } from './chain.ts';
import { LIMITS, read, write } from './fields.ts';
import { TAG } from './tags.ts';

/** BppBatch (FF62): the answer to a BppRequest, over HTTPS or as a file. */
const BPP_BATCH = TAG.bppBatch;

/** A Bound Profile Package is at most this long, well above what an eUICC holds. */
const MAX_BPP = 1 << 20;

export interface BoundOutcome {
  readonly kind: 'bound';
  /** 16 octets as lower-case hexadecimal. */
  readonly transactionId: string;
  readonly keyId: string;
  readonly iccid: string;
  /** Index into the batch's chains. */
  readonly chain: number;
  /** BF36. */
  readonly bpp: Bytes;
}

export interface FailedOutcome {
  readonly kind: 'failed';
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly message: string | undefined;
}

export interface BppItem {
  readonly itemId: number;
  readonly eid: string;
  readonly outcome: BoundOutcome | FailedOutcome;
}

export interface BppBatch {
  readonly requestId: string;
  readonly chains: readonly Chain[];
  readonly items: readonly BppItem[];
}

export function encodeBppItem(item: BppItem): Bytes {
  return Buffer.concat(bppItemPieces(item));
}

/** A BppItem as octets that stand one after the other. A BPP, which is the end of its item, is among them as it is. */
export function bppItemPieces({ itemId, eid, outcome }: BppItem): Bytes[] {
  const about = [write.integer(0, itemId), write.eid(1, eid)];
  if (outcome.kind === 'failed') {
    const { subjectCode, reasonCode, message } = outcome;
    const failed = write.choice(
      1,
      write.text(0, subjectCode),
      write.text(1, reasonCode),
      message === undefined ? undefined : write.text(2, message),
    );
    return [write.sequence(...about, write.choice(2, failed))];
  }
  const { transactionId, keyId, iccid, chain, bpp } = outcome;
  const fields = [
    write.id(0, transactionId),
    write.id(1, keyId),
    write.iccid(2, iccid),
    write.integer(3, chain),
    tlvHeader(0x84, bpp.length),
  ];
  const choice = endingIn(bpp, 0xa2, endingIn(bpp, 0xa0, fields));
  return [Buffer.concat(endingIn(bpp, 0x30, [...about, ...choice])), bpp];
}

/** An element of these fields and the octets at its end, without the latter. */
function endingIn(end: Bytes, tag: number, fields: readonly Bytes[]): Bytes[] {
  const length = fields.reduce((sum, field) => sum + field.length, end.length);
  return [tlvHeader(tag, length), ...fields];
}

/** What stands before the items: the rest of the batch is the concatenation of `itemsLength` octets of BppItems. */
export function bppBatchPrefix(requestId: string, chains: readonly Chain[], itemsLength: number): Bytes {
  const fields = Buffer.concat([
    write.version(),
    write.id(1, requestId),
    write.list(2, chains.map(encodeChain)),
  ]);
  const items = tlvHeader(0xa3, itemsLength);
  return Buffer.concat([tlvHeader(BPP_BATCH, fields.length + items.length + itemsLength), fields, items]);
}

export function encodeBppBatch(batch: BppBatch): Bytes {
  const items = Buffer.concat(batch.items.map(encodeBppItem));
  return Buffer.concat([bppBatchPrefix(batch.requestId, batch.chains, items.length), items]);
}

export function decodeBppBatch(der: Bytes): BppBatch {
  const fields = TlvReader.of(readSingle(der, BPP_BATCH, 'BppBatch'));
  read.version(fields);
  const requestId = read.id(fields, 1, 'requestId');
  const chains = read.list(fields, 2, 'chains', LIMITS.chains, readChain);
  const items = read.list(fields, 3, 'items', Number.POSITIVE_INFINITY, (list) =>
    readBppItem(list, chains.length),
  );
  fields.end();
  return { requestId, chains, items };
}

/** The BppItems of a part. */
export function decodeBppItems(elements: Bytes, chains: number): BppItem[] {
  const list = new TlvReader(elements);
  const items: BppItem[] = [];
  while (!list.done) items.push(readBppItem(list, chains));
  return items;
}

function readBppItem(list: TlvReader, chains: number): BppItem {
  const fields = list.enter(0x30, 'BppItem');
  const itemId = read.integer(fields, 0, 'itemId');
  const eid = read.eid(fields, 1, 'eid');
  const choice = fields.enter(0xa2, 'outcome');
  const outcome =
    choice.peek()?.tag === 0xa1 ? readFailed(choice.enter(0xa1, 'failed')) : readBound(choice, chains);
  choice.end();
  fields.end();
  return { itemId, eid, outcome };
}

function readBound(choice: TlvReader, chains: number): BoundOutcome {
  const fields = choice.enter(0xa0, 'bound');
  const bound = {
    kind: 'bound',
    transactionId: read.id(fields, 0, 'transactionId'),
    keyId: read.id(fields, 1, 'keyId'),
    iccid: read.iccid(fields, 2, 'iccid'),
    chain: read.integer(fields, 3, 'chain'),
    bpp: read.derTlv(fields, 4, 'bpp', MAX_BPP),
  } as const;
  fields.end();
  if (bound.chain >= chains) refuse('protocolFormat', `chain ${bound.chain} is not in the batch`);
  return bound;
}

function readFailed(fields: TlvReader): FailedOutcome {
  const failed = {
    kind: 'failed',
    subjectCode: read.text(fields, 0, 'subjectCode', 16),
    reasonCode: read.text(fields, 1, 'reasonCode', 16),
    message: read.has(fields, 2) ? read.text(fields, 2, 'message', 1024) : undefined,
  } as const;
  fields.end();
  return failed;
}
