import { type Bytes, concat, equal, toHex } from '../../shared/codec/bytes.ts';
import { parseCertificate, registeredIdOf } from '../../sim/certificate.ts';
import type { EcPoint } from '../../sim/curve.ts';
import { storeDataApdus } from '../../sim/euicc/apdu.ts';
import type { CardReader } from '../../sim/factory.ts';
import { type Bound, type Chain, decodeBppBatch, encodeLoadPackage } from '../../sim/ifpp-draft1.ts';
import { segmentBpp } from '../../sim/segmentation.ts';
import { readHeader, readTlv } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import { checkPir, type ReadPir } from './pir.ts';
import type { EuiccRule } from './rules.ts';

const INVALID_SIGNATURE = 2;
const BSP_SECURITY_ERROR = 8;

/** A BPP for the eUICC, with its LoadPackage. */
interface Load {
  readonly bound: Bound;
  readonly chain: Chain;
}

/** Drives a card with the BPPs of a BppBatch (FF62) that are for its EID: two of them, or what there is. */
export class LoadChecks {
  readonly #card: CardReader;
  readonly #euicc: EcPoint;
  readonly #loads: readonly Load[];
  readonly #conformity: Conformity<EuiccRule>;

  constructor(
    card: CardReader,
    euicc: { readonly eid: string; readonly key: EcPoint },
    bppBatch: Bytes,
    conformity: Conformity<EuiccRule>,
  ) {
    const { chains, items } = decodeBppBatch(bppBatch);
    this.#card = card;
    this.#euicc = euicc.key;
    this.#loads = items.flatMap(({ eid, bound }) => {
      const chain = bound === undefined ? undefined : chains[bound.chain];
      return eid !== euicc.eid || bound === undefined || chain === undefined ? [] : [{ bound, chain }];
    });
    this.#conformity = conformity;
  }

  async run(): Promise<void> {
    const [first, second] = this.#loads;
    if (first === undefined) {
      const ids = ['installs', 'transaction', 'repeat', 'bad-signature', 'bad-mac', 'used-key'] as const;
      const why = 'the BppBatch has nothing for the EID of the card';
      this.#conformity.skip(why, ...ids.map((id) => `euicc.load.${id}` as const));
      return;
    }
    await this.#refused('euicc.load.bad-signature', first, badSignature(first.bound.bpp), INVALID_SIGNATURE);
    await this.#installs(first);
    if (second === undefined) {
      this.#conformity.skip(
        'the BppBatch has one BPP for the EID',
        'euicc.load.used-key',
        'euicc.load.bad-mac',
      );
      return;
    }
    await this.#usedKey(first, second);
    await this.#refused('euicc.load.bad-mac', second, badMac(second.bound.bpp), BSP_SECURITY_ERROR);
  }

  async #installs(load: Load): Promise<void> {
    const where = `the BPP of ICCID ${load.bound.iccid}`;
    const answer = await this.#send(load, load.bound.bpp);
    const read = typeof answer === 'string' ? undefined : this.#read(load, answer, where);
    const seen = typeof answer === 'string' ? answer : (read?.finalResult ?? 'a result that cannot be read');
    const isInstalled = this.#conformity.check(
      'euicc.load.installs',
      seen === 'success',
      where,
      'success',
      seen,
    );
    if (typeof answer === 'string' || read === undefined) return;
    const expected = `${toHex(load.bound.transactionId)}, ICCID ${load.bound.iccid}`;
    const told = `${read.transactionId}, ICCID ${read.iccid}`;
    this.#conformity.check('euicc.load.transaction', told === expected, where, expected, told);
    if (!isInstalled) return;
    const again = await this.#send(load, load.bound.bpp);
    const isSame = typeof again !== 'string' && equal(again, answer);
    this.#conformity.check('euicc.load.repeat', isSame, `${where} again`, toHex(answer), () =>
      typeof again === 'string' ? again : toHex(again),
    );
  }

  /** A wrong BPP is answered with a signed result that names this errorReason. */
  async #refused(id: EuiccRule, load: Load, bpp: Bytes, errorReason: number): Promise<void> {
    const where = `the BPP of ICCID ${load.bound.iccid}, changed`;
    const answer = await this.#send(load, bpp);
    const read = typeof answer === 'string' ? undefined : this.#read(load, answer, where);
    const seen = typeof answer === 'string' ? answer : (read?.finalResult ?? 'a result that cannot be read');
    this.#conformity.check(id, read?.errorReason === errorReason, where, `errorReason ${errorReason}`, seen);
  }

  async #usedKey(used: Load, other: Load): Promise<void> {
    const where = `the BPP of ICCID ${other.bound.iccid} with the used key ${toHex(used.bound.keyId)}`;
    const load = { ...other, bound: { ...other.bound, keyId: used.bound.keyId } };
    const answer = await this.#send(load, other.bound.bpp);
    const read = typeof answer === 'string' ? undefined : this.#read(load, answer, where);
    const seen = typeof answer === 'string' ? answer : (read?.finalResult ?? 'a result that cannot be read');
    this.#conformity.check('euicc.load.used-key', seen !== 'success', where, 'an error', seen);
  }

  #read({ chain }: Load, pir: Bytes, where: string): ReadPir | undefined {
    const [dpPb] = chain.certificates;
    const smdpOid = dpPb === undefined ? undefined : registeredIdOf(parseCertificate(dpPb));
    const context = { euicc: this.#euicc, where, ...(smdpOid === undefined ? {} : { smdpOid }) };
    return checkPir(pir, context, this.#conformity);
  }

  /** What the card answers at the end: its result, or a status word or silence in words. */
  async #send({ bound, chain }: Load, bpp: Bytes): Promise<Bytes | string> {
    const { transactionId, keyId } = bound;
    const commands = [encodeLoadPackage({ transactionId, keyId, chain }), ...segmentBpp(bpp)];
    this.#card.reset();
    for (const apdu of commands.flatMap((command) => storeDataApdus(command))) {
      const answer = await this.#exchange(apdu);
      if (answer === undefined) return 'no answer';
      const statusWord = toHex(answer.subarray(-2));
      if (statusWord !== '9000') return `status word ${statusWord}`;
      if (answer.length > 2) return answer.subarray(0, -2);
    }
    return 'no result';
  }

  /** One APDU and the GET RESPONSEs that 61xx asks for; undefined where the card does not answer. */
  async #exchange(apdu: Bytes): Promise<Bytes | undefined> {
    try {
      let answer = await this.#card.transmit(apdu);
      let data = answer.subarray(0, -2);
      while (answer.at(-2) === 0x61) {
        answer = await this.#card.transmit(Uint8Array.of(apdu[0] ?? 0x80, 0xc0, 0, 0, answer.at(-1) ?? 0));
        data = concat(data, answer.subarray(0, -2));
      }
      return concat(data, answer.subarray(-2));
    } catch {
      return undefined;
    }
  }
}

/** smdpSign is the last field of BF23, which is the first of BF36. */
function badSignature(bpp: Bytes): Bytes {
  const { headerLength } = readHeader(bpp);
  const end = headerLength + readTlv(bpp, headerLength).raw.length;
  return flipped(bpp, end - 1);
}

/** The last octet of a BPP is of the MAC of its last segment. */
const badMac = (bpp: Bytes): Bytes => flipped(bpp, bpp.length - 1);

function flipped(octets: Bytes, at: number): Bytes {
  const copy = Uint8Array.from(octets);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
