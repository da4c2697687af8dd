import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { decodeIccid, decodeInteger, decodeUtf8, isValidEid } from '../../sim/coding.ts';
import { Fields, readAll, readOnly, SimError } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import type { MakerRule } from './rules.ts';

/** Holds a BppRequest (FF61) against the rules; gives the eUICC data back that it forwards. */
export function checkRequest(request: Bytes, conformity: Conformity<MakerRule>): Bytes | undefined {
  let value: Bytes;
  try {
    value = readOnly(request, 0xff61).value;
    readAll(value);
    conformity.passed('maker.request.der');
  } catch (error) {
    conformity.failed('maker.request.der', 'the request', 'FF61, each length minimal', messageOf(error));
    return undefined;
  }
  try {
    const fields = new Fields(value);
    const version = decodeInteger(fields.take(0x80).value);
    if (version !== 1) throw new SimError(`version ${version}`);
    const { length } = fields.take(0x81).value;
    if (length < 1 || length > 16) throw new SimError(`requestId has ${length} octets`);
    const orderId = decodeUtf8(fields.take(0x82).value);
    if (orderId.length < 1 || orderId.length > 64)
      throw new SimError(`orderId has ${orderId.length} characters`);
    const euiccData = fields.maybe(0x83)?.value;
    const items = readAll(fields.take(0xa4).value);
    fields.end();
    if (items.length === 0) throw new SimError('there are no items');
    conformity.passed('maker.request.fields');
    checkItems(
      items.map(({ raw }) => raw),
      conformity,
    );
    return euiccData;
  } catch (error) {
    const expected = '80 version 1, 81 requestId (1 to 16), 82 orderId, 83 euiccData, A4 items';
    conformity.failed('maker.request.fields', 'the request', expected, messageOf(error));
    return undefined;
  }
}

function checkItems(items: readonly Bytes[], conformity: Conformity<MakerRule>): void {
  const itemIds = new Set<number>();
  const eids = new Set<string>();
  for (const [index, raw] of items.entries()) {
    const item = readItem(raw, `item ${index}`, conformity);
    if (item === undefined) continue;
    const where = `item ${index}, itemId ${item.itemId}`;
    const isNew = !itemIds.has(item.itemId);
    itemIds.add(item.itemId);
    conformity.check(
      'maker.request.item-id',
      isNew,
      where,
      'an itemId of its own',
      `itemId ${item.itemId} again`,
    );
    conformity.check(
      'maker.request.eid',
      isValidEid(item.eid),
      where,
      '32 digits, the whole ≡ 1 mod 97',
      item.eid,
    );
    const again = eids.has(item.eid) && !item.additional;
    eids.add(item.eid);
    conformity.check(
      'maker.request.second-profile',
      !again,
      where,
      '84 FF',
      `EID ${item.eid} again, without`,
    );
    if (item.iccid !== undefined)
      conformity.check(
        'maker.request.iccid',
        holdsIccid(item.iccid),
        where,
        '10 octets as EF.ICCID has them, the last of 20 digits a Luhn digit',
        toHex(item.iccid),
      );
  }
}

function readItem(raw: Bytes, where: string, conformity: Conformity<MakerRule>) {
  try {
    const fields = new Fields(readOnly(raw, 0x30).value);
    const itemId = decodeInteger(fields.take(0x80).value);
    const eid = fields.take(0x81).value;
    if (eid.length !== 16) throw new SimError(`eid has ${eid.length} octets`);
    const keyId = fields.maybe(0x82)?.value;
    if (keyId !== undefined && (keyId.length < 1 || keyId.length > 16))
      throw new SimError(`keyId has ${keyId.length} octets`);
    const iccid = fields.maybe(0x83)?.value;
    const additional = fields.maybe(0x84)?.value;
    fields.end();
    if (additional !== undefined && !/^(ff|00)$/.test(toHex(additional)))
      throw new SimError(`additional is ${toHex(additional)}`);
    conformity.passed('maker.request.item');
    return { itemId, eid: toHex(eid), iccid, additional: additional?.[0] === 0xff };
  } catch (error) {
    const expected = '30 { 80 itemId, 81 eid (16), 82 keyId, 83 iccid, 84 FF or 00 }';
    conformity.failed('maker.request.item', where, expected, messageOf(error));
    return undefined;
  }
}

function holdsIccid(octets: Bytes): boolean {
  try {
    const digits = decodeIccid(octets);
    if (digits.length === 19) return true;
    const sum = [...digits].reverse().reduce((total, digit, at) => {
      const value = Number(digit) * (at % 2 === 0 ? 1 : 2);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
    return sum % 10 === 0;
  } catch (error) {
    messageOf(error);
    return false;
  }
}

export function messageOf(error: unknown): string {
  if (error instanceof SimError) return error.message;
  throw error;
}
