import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { type Bytes, fromHex, toHex } from '../../../shared/codec/bytes.ts';
import type { CardReader } from '../../../sim/index.ts';

/**
 * A card behind a program of its maker. A line on its stdin is a command APDU in hexadecimal, or `reset` for power off
 * and on; it answers each with one line on stdout, the response data and status word in hexadecimal, or anything for a reset.
 */
export class CardProcess implements CardReader {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;
  #resets = 0;

  constructor(command: string) {
    this.#child = spawn(command, { shell: true });
    this.#child.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  async transmit(apdu: Bytes): Promise<Bytes> {
    for (; this.#resets > 0; this.#resets--) await this.#ask('reset');
    return fromHex((await this.#ask(toHex(apdu))).trim());
  }

  reset(): void {
    this.#resets++;
  }

  close(): void {
    this.#child.stdin.end();
    this.#lines.close();
    this.#child.kill();
  }

  async #ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the program of the card has ended');
    return value;
  }
}
