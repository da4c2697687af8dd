import fc from 'fast-check';

/** Every proper prefix of the octets. */
export function* truncations(octets: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < octets.length; length++) yield octets.subarray(0, length);
}

/** The octets with a few of them overwritten, inserted or removed. */
export function mutated(octets: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.nat(octets.length - 1),
    kind: fc.constantFrom('overwrite', 'insert', 'remove'),
    octet: fc.nat(255),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
    const result = [...octets];
    for (const { at, kind, octet } of edits) {
      if (kind === 'overwrite') result[at] = octet;
      else if (kind === 'insert') result.splice(at, 0, octet);
      else result.splice(at, 1);
    }
    return Uint8Array.from(result);
  });
}
