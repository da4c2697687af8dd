/** A secret in each form in which it could have been written: octets, nibbles swapped, hexadecimal, base64. */
export function formsOf(secret: Uint8Array): Buffer[] {
  const octets = Buffer.from(secret);
  const swapped = Buffer.from(octets.map((octet) => ((octet & 0x0f) << 4) | (octet >> 4)));
  return [octets, swapped].flatMap((form) => [
    form,
    ...(['utf16le', 'latin1'] as const).flatMap((encoding) => [
      Buffer.from(form.toString('hex'), encoding),
      Buffer.from(form.toString('hex').toUpperCase(), encoding),
    ]),
    ...[0, 1, 2].flatMap((shift) => base64Inside(form, shift)),
  ]);
}

/** The characters that the octets give wherever they stand in a base64 text, cut where neighbours have a say. */
function base64Inside(octets: Buffer, shift: number): Buffer[] {
  const padded = Buffer.concat([Buffer.alloc(shift), octets]);
  const inner = (text: string) =>
    Buffer.from(text.slice(shift === 0 ? 0 : 4, text.length - (text.length % 4 || 4)));
  return [inner(padded.toString('base64').replace(/=+$/, '')), inner(padded.toString('base64url'))];
}

/**
 * Finds many secrets of 16 octets and more at once: one look at a bit for most octets. Each form is looked for by
 * halves, so that a secret which two writes or two pages of a database share is found by the half that is whole.
 */
export class SecretScan {
  readonly #starts = new Uint8Array(2 ** 21);
  readonly #patterns = new Map<number, { readonly name: string; readonly octets: Buffer }[]>();

  add(name: string, secret: Uint8Array): void {
    for (const form of formsOf(secret)) {
      const middle = form.length >> 1;
      for (const octets of [form.subarray(0, middle), form.subarray(middle)]) this.#add({ name, octets });
    }
  }

  /** The names of the secrets that are in there. */
  find(content: Uint8Array): Set<string> {
    const found = new Set<string>();
    for (let at = 0; at + 3 <= content.length; at++) {
      const start = (content[at]! << 16) | (content[at + 1]! << 8) | content[at + 2]!;
      if ((this.#starts[start >>> 3]! & (1 << (start & 7))) === 0) continue;
      for (const { name, octets } of this.#patterns.get(start)!) {
        // text has few starts that many patterns share
        if (octets[3] !== content[at + 3] || octets[4] !== content[at + 4]) continue;
        if (octets.equals(content.subarray(at, at + octets.length))) found.add(name);
      }
    }
    return found;
  }

  #add(pattern: { readonly name: string; readonly octets: Buffer }): void {
    const start = pattern.octets.readUIntBE(0, 3);
    this.#starts[start >>> 3]! |= 1 << (start & 7);
    const patterns = this.#patterns.get(start);
    if (patterns === undefined) this.#patterns.set(start, [pattern]);
    else patterns.push(pattern);
  }
}
