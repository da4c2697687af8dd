/** Finds any of many octet strings of 8 octets and more in files: one look at a bit for most octets. */
export class SecretScan {
  readonly #starts = new Uint8Array(2 ** 21);
  readonly #patterns = new Map<number, Buffer[]>();

  add(pattern: Buffer): void {
    const start = pattern.readUIntBE(0, 3);
    this.#starts[start >>> 3]! |= 1 << (start & 7);
    const patterns = this.#patterns.get(start);
    if (patterns === undefined) this.#patterns.set(start, [pattern]);
    else patterns.push(pattern);
  }

  count(content: Buffer): number {
    let found = 0;
    for (let at = 0; at + 8 <= content.length; at++) {
      const start = (content[at]! << 16) | (content[at + 1]! << 8) | content[at + 2]!;
      if ((this.#starts[start >>> 3]! & (1 << (start & 7))) === 0) continue;
      for (const pattern of this.#patterns.get(start)!)
        if (content.subarray(at, at + pattern.length).equals(pattern)) found += 1;
    }
    return found;
  }
}
