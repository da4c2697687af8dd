import { createRequire } from 'node:module';
import { type Bytes, concat, fromHex, toHex } from '../shared/codec/bytes.ts';
import { Fault } from '../shared/errors.ts';
import { type CardReader, isValidEid } from '../sim/index.ts';
import { readOnly, readTlv } from '../sim/tlv.ts';
import type { OpenDevices } from './soft-cards.ts';

/** What is used of the package `smartcard`. */
interface SmartcardPackage {
  readonly Context: new () => PcscContext;
}

interface PcscContext {
  listReaders(): readonly PcscReader[];
  close(): void;
}

interface PcscReader {
  readonly name: string;
  connect(shareMode: number, protocols: number): Promise<PcscCard>;
}

interface PcscCard {
  transmit(command: Buffer): Promise<Buffer>;
  reconnect(shareMode: number, protocols: number, initialization: number): Promise<number>;
  disconnect(disposition: number): void;
}

/** Values of the PC/SC workgroup: a reader for this process alone, T=0 or T=1, and a card that loses its power. */
const EXCLUSIVE = 1;
const PROTOCOLS = 3;
const UNPOWER = 2;

/** SELECT of the ISD-R (SGP.22, 2.2.3), and GetEUICCData of the EID (5.7.20) as STORE DATA. */
const SELECT_ISD_R = fromHex('00a4040010a0000005591010ffffffff8900000100');
const GET_EID = fromHex('80e2910006bf3e035c015a');

/**
 * The eUICCs in PC/SC readers whose names contain `text`, each taken for this process alone; a reader that is empty, in use or
 * holds another card is told of and left. Needs the package `smartcard` beside this program, which is loaded here and nowhere
 * else.
 */
export async function openReaders(text: string): Promise<OpenDevices> {
  const { Context } = load();
  let context: PcscContext;
  let readers: readonly PcscReader[];
  try {
    context = new Context();
    readers = context.listReaders().filter(({ name }) => name.includes(text));
  } catch (cause) {
    throw new Fault('configuration', 'there is no PC/SC service that shows its readers', { cause });
  }
  const devices = new Map<string, CardReader>();
  const problems: string[] = [];
  const cards: PcscCard[] = [];
  for (const reader of readers) {
    try {
      const card = await reader.connect(EXCLUSIVE, PROTOCOLS);
      cards.push(card);
      const eid = await eidOf(card);
      if (devices.has(eid)) problems.push(`${reader.name} has a second card of EID ${eid}`);
      else devices.set(eid, cardReader(card));
    } catch (error) {
      problems.push(`${reader.name}: ${error instanceof Fault ? error.message : 'no card, or in use'}`);
    }
  }
  const close = () => {
    for (const card of cards) card.disconnect(UNPOWER);
    context.close();
  };
  if (devices.size > 0) return { devices, problems, close };
  close();
  throw new Fault('configuration', ['no reader holds an eUICC', ...problems].join('; '));
}

function load(): SmartcardPackage {
  // require, not import: the package is compiled for a machine, and no bundle has it
  const require = createRequire(import.meta.url);
  try {
    return require('smartcard') as SmartcardPackage;
  } catch (cause) {
    throw new Fault('configuration', 'PC/SC readers need the package smartcard beside smdpf', { cause });
  }
}

const cardReader = (card: PcscCard): CardReader => ({
  transmit: async (apdu) => new Uint8Array(await card.transmit(Buffer.from(apdu))),
  async reset() {
    await card.reconnect(EXCLUSIVE, PROTOCOLS, UNPOWER);
    await select(card);
  },
});

async function select(card: PcscCard): Promise<void> {
  const { statusWord } = await exchange(card, SELECT_ISD_R);
  if (statusWord !== '9000') throw new Fault('configuration', `the card has no ISD-R (${statusWord})`);
}

async function eidOf(card: PcscCard): Promise<string> {
  await select(card);
  const { data } = await exchange(card, GET_EID);
  try {
    const eid = toHex(readTlv(readOnly(data, 0xbf3e).value).value);
    if (isValidEid(eid)) return eid;
  } catch {}
  throw new Fault('configuration', 'the card does not tell its EID');
}

async function exchange(card: PcscCard, command: Bytes): Promise<{ data: Bytes; statusWord: string }> {
  const data: Bytes[] = [];
  for (let next = command; ; ) {
    const answer = new Uint8Array(await card.transmit(Buffer.from(next)));
    data.push(answer.subarray(0, -2));
    if (answer.at(-2) !== 0x61) return { data: concat(...data), statusWord: toHex(answer.subarray(-2)) };
    next = Uint8Array.of(command[0]!, 0xc0, 0, 0, answer.at(-1)!);
  }
}
