import { type Bytes, concat } from '../../shared/codec/bytes.ts';
import { parseStoreData, response, StatusWordError, SW } from './apdu.ts';

const GET_RESPONSE = 0xc0;

/**
 * What the eUICC does with a command whose blocks came in as far as `command`; `last` says whether it is whole.
 * Returns response data; refuses with StatusWordError.
 */
export type CommandHandler = (command: Bytes, last: boolean) => Bytes;

/** Puts STORE DATA blocks together to commands, and answers in pieces of at most 256 octets. */
export class CommandReader {
  readonly #handle: CommandHandler;
  #blocks: Bytes[] = [];
  #unsent: Bytes = new Uint8Array();

  constructor(handle: CommandHandler) {
    this.#handle = handle;
  }

  reset(): void {
    this.#blocks = [];
    this.#unsent = new Uint8Array();
  }

  /** One command APDU in, response data and status word out. A command that is refused is forgotten. */
  exchange(apdu: Bytes): Bytes {
    try {
      return this.#send(apdu[1] === GET_RESPONSE ? this.#unsent : this.#receive(apdu));
    } catch (error) {
      this.#blocks = [];
      if (error instanceof StatusWordError) return response(new Uint8Array(), error.statusWord);
      throw error;
    }
  }

  #receive(apdu: Bytes): Bytes {
    const { last, block, data } = parseStoreData(apdu);
    if (block !== (this.#blocks.length & 0xff)) {
      throw new StatusWordError(SW.incorrectParameters, 'block number out of order');
    }
    this.#blocks.push(data);
    const command = concat(...this.#blocks);
    if (last) this.#blocks = [];
    const answer = this.#handle(command, last);
    if (answer.length > 0) this.#blocks = [];
    return answer;
  }

  /** 61xx tells of more to fetch (ISO 7816-4). */
  #send(data: Bytes): Bytes {
    this.#unsent = data.subarray(256);
    const more = Math.min(this.#unsent.length, 256);
    return response(data.subarray(0, 256), more === 0 ? SW.ok : 0x6100 | (more & 0xff));
  }
}
