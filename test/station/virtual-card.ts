import { connect, type Socket } from 'node:net';
import { type Bytes, concat, fromHex, toHex } from '../../shared/codec/bytes.ts';
import type { SoftEuicc } from '../../sim/euicc.ts';

/** An answer to reset as SIMs have it: T=0. */
const ATR = fromHex('3b9f96801fc78031a073be21136743200718000001a5');
/** What vpcd asks a card for, in one octet; everything longer is an APDU. */
const POWER_OFF = 0;
const ATR_ASKED = 4;
const SELECT_ISD_R = '00a4040010a0000005591010ffffffff89000001';
const GET_EID = '80e2910006bf3e035c015a';

/**
 * A soft eUICC in a slot of vsmartcard's virtual reader: what comes over its TCP port is a length of two octets and a command of the
 * reader, or an APDU. SELECT of the ISD-R and the EID are answered here, by 61xx and GET RESPONSE as a card on T=0 does it.
 */
export class VirtualCard {
  readonly #card: SoftEuicc;
  readonly #socket: Socket;
  #received: Bytes = new Uint8Array();
  #waiting: Bytes = new Uint8Array();
  /** How often the reader took the power away or reset it. */
  resets = 0;

  private constructor(card: SoftEuicc, socket: Socket) {
    this.#card = card;
    this.#socket = socket;
    socket.on('data', (octets: Buffer) => this.#receive(new Uint8Array(octets)));
    socket.on('error', () => undefined);
  }

  static async insert(card: SoftEuicc, port: number): Promise<VirtualCard> {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new VirtualCard(card, socket);
  }

  remove(): void {
    this.#socket.destroy();
  }

  #receive(octets: Bytes): void {
    this.#received = concat(this.#received, octets);
    while (this.#received.length >= 2) {
      const end = 2 + ((this.#received[0]! << 8) | this.#received[1]!);
      if (this.#received.length < end) return;
      const message = this.#received.slice(2, end);
      this.#received = this.#received.slice(end);
      const answer = message.length === 1 ? this.#reader(message[0]!) : this.#exchange(message);
      if (answer !== undefined)
        this.#socket.write(concat(Uint8Array.of(answer.length >> 8, answer.length & 0xff), answer));
    }
  }

  #reader(command: number): Bytes | undefined {
    if (command === ATR_ASKED) return ATR;
    if (command === POWER_OFF) this.resets += 1;
    this.#card.reset();
    return undefined;
  }

  #exchange(apdu: Bytes): Bytes {
    const text = toHex(apdu);
    if (text.startsWith(SELECT_ISD_R)) return fromHex('9000');
    if (text.startsWith(GET_EID)) {
      this.#waiting = fromHex(`bf3e125a10${this.#card.eid}`);
      return Uint8Array.of(0x61, this.#waiting.length);
    }
    if (apdu[1] === 0xc0 && this.#waiting.length > 0) {
      const answer = concat(this.#waiting, fromHex('9000'));
      this.#waiting = new Uint8Array();
      return answer;
    }
    return this.#card.transmit(apdu);
  }
}
