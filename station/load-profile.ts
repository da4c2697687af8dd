import { type Bytes, concat } from '../shared/codec/bytes.ts';
import {
  type Bound,
  type CardReader,
  type Chain,
  encodeLoadPackage,
  segmentBpp,
  storeDataApdus,
} from '../sim/index.ts';
import { readOnly } from '../sim/tlv.ts';
import type { Outcome } from './outcome.ts';

/** Each command APDU, and what came back: response data and status word, or undefined where nothing did. */
export type ApduLog = (eid: string, command: Bytes, answer: Bytes | undefined) => void;

/** LoadPackage (FF66) and the segments of the BPP (SGP.22, 2.5.5), cut into STORE DATA (5.7.2). */
export function commandsOf({ transactionId, keyId, bpp }: Bound, chain: Chain): Bytes[] {
  return [encodeLoadPackage({ transactionId, keyId, chain }), ...segmentBpp(bpp)].flatMap((command) =>
    storeDataApdus(command),
  );
}

/** Sends one package to its eUICC; one that falls silent is reset and gets it again `retries` times. */
export async function loadProfile(
  reader: CardReader,
  eid: string,
  bound: Bound,
  chain: Chain,
  { retries, log }: { readonly retries: number; readonly log?: ApduLog },
): Promise<Pick<Outcome, 'result' | 'fpaError'>> {
  const commands = commandsOf(bound, chain);
  for (let attempt = 0; attempt <= retries; attempt++) {
    try {
      await reader.reset();
    } catch {
      continue;
    }
    const answer = await send(reader, eid, commands, log);
    if (answer === undefined) continue;
    const { data, statusWord } = answer;
    if (statusWord[0] !== 0x90 || statusWord[1] !== 0x00)
      return { fpaError: { cause: 'badStatusWord', statusWord } };
    return isResult(data) ? { result: data } : { fpaError: { cause: 'noResult' } };
  }
  return { fpaError: { cause: 'unreachable', detail: 'the eUICC does not answer' } };
}

interface Answer {
  readonly data: Bytes;
  readonly statusWord: Bytes;
}

/** All commands until data come back or the eUICC refuses; undefined where it falls silent. */
async function send(
  reader: CardReader,
  eid: string,
  commands: readonly Bytes[],
  log: ApduLog | undefined,
): Promise<Answer | undefined> {
  let last: Answer = { data: new Uint8Array(), statusWord: Uint8Array.of(0x90, 0x00) };
  for (const command of commands) {
    const answer = await exchange(reader, eid, command, log);
    if (answer === undefined) return undefined;
    last = answer;
    const [sw1, sw2] = last.statusWord;
    if (sw1 !== 0x90 || sw2 !== 0x00 || last.data.length > 0) return last;
  }
  return last;
}

/** One command and the GET RESPONSEs that 61xx asks for. */
async function exchange(
  reader: CardReader,
  eid: string,
  first: Bytes,
  log: ApduLog | undefined,
): Promise<Answer | undefined> {
  const data: Bytes[] = [];
  for (let command = first; ; ) {
    let answer: Bytes;
    try {
      answer = await reader.transmit(command);
    } catch {
      log?.(eid, command, undefined);
      return undefined;
    }
    log?.(eid, command, answer);
    const statusWord = answer.subarray(-2);
    data.push(answer.subarray(0, -2));
    if (statusWord[0] !== 0x61) return { data: concat(...data), statusWord };
    command = Uint8Array.of(first[0] ?? 0x80, 0xc0, 0, 0, statusWord[1] ?? 0);
  }
}

function isResult(data: Bytes): boolean {
  try {
    readOnly(data, 0xbf37);
    return true;
  } catch {
    return false;
  }
}
