import { type Bytes, concat, toHex } from '../../../shared/codec/bytes.ts';
import { type Tlv, TlvReader } from '../../../shared/codec/tlv.ts';
import { MAC_LENGTH } from '../../../shared/crypto/bsp.ts';
import { SUITES } from '../../../shared/crypto/suite.ts';
import { refuse } from '../../../shared/errors.ts';
import { decodeBoundProfilePackage } from '../../../shared/rsp/bound-profile-package.ts';
import {
  type Field,
  leaf,
  listOf,
  type Shape,
  showElement,
  tree,
  valueOffset,
  wholeElement,
} from '../shape.ts';
import { tlvDescriber } from '../tlv-describer.ts';
import { id16, integer, named, octetsOf, signature } from '../values.ts';
import { STORE_METADATA_SHAPE } from './store-metadata.ts';

const CHANNELS = SUITES.map(({ channel }) => channel);
const otpkLengths = CHANNELS.map(({ smdpOtpkLength }) => smdpOtpkLength);

function keyType(value: Bytes): string {
  const known = CHANNELS.find((channel) => value.length === 1 && channel.keyType === value[0]);
  return known === undefined ? toHex(value) : `${toHex(value)} ${known.keyTypeName}`;
}

const INITIALISE_SECURE_CHANNEL_SHAPE: Shape = tree('initialiseSecureChannelRequest', [
  [
    0x82,
    leaf(
      'remoteOpId',
      named((value) => (value === 1 ? 'installBoundProfilePackage' : undefined)),
    ),
  ],
  [0x80, leaf('transactionId', id16)],
  [
    0xa6,
    tree('controlRefTemplate', [
      [0x80, leaf('keyType', keyType)],
      [0x81, leaf('keyLen', integer)],
      [0x84, leaf('hostId', id16)],
    ]),
  ],
  [0x5f49, leaf('smdpOtpk', octetsOf(Math.min(...otpkLengths), Math.max(...otpkLengths)))],
  ...CHANNELS.flatMap(({ ciphertext }): [number, Shape][] =>
    ciphertext === undefined ? [] : [[ciphertext.tag, leaf('ciphertext', octetsOf(ciphertext.length))]],
  ),
  [0x5f37, leaf('smdpSign', signature)],
]);

/** An 86, 87 or 88: data and the first eight octets of its C-MAC. */
function protectedElement(name: string, what: 'ciphertext' | 'data'): Shape {
  return leaf(name, (value) => {
    if (value.length <= MAC_LENGTH)
      return refuse('protocolFormat', 'a protected element has no room for its C-MAC');
    const mac = toHex(value.subarray(-MAC_LENGTH));
    return `${value.length - MAC_LENGTH} octets of ${what}, C-MAC ${mac}`;
  });
}

/** The metadata, which the 88 elements carry in clear. */
function metadataOf(sequenceOf88: Tlv): readonly Field[] {
  const reader = TlvReader.of(sequenceOf88);
  const elements: Tlv[] = [];
  while (!reader.done) elements.push(reader.expect(0x88, 'protected element'));
  const data = concat(...elements.map(({ value }) => value.subarray(0, -MAC_LENGTH)));
  if (elements.length === 0) return refuse('protocolFormat', 'sequenceOf88 is empty');
  const field = showElement(wholeElement(data, 'A1', 0), STORE_METADATA_SHAPE, 'A1');
  const inFile = (offset: number): number => {
    let left = offset;
    for (const element of elements) {
      const length = element.value.length - MAC_LENGTH;
      if (left < length) return valueOffset(element) + left;
      left -= length;
    }
    return valueOffset(sequenceOf88) + sequenceOf88.value.length;
  };
  return [moved(field, inFile)];
}

function moved(field: Field, to: (offset: number) => number): Field {
  const { fields, offset } = field;
  return {
    ...field,
    offset: to(offset),
    ...(fields && { fields: fields.map((child) => moved(child, to)) }),
  };
}

/** BoundProfilePackage (SGP.22 section 2.5.5); nobody but its eUICC can open it or check its MACs. */
export const BOUND_PROFILE_PACKAGE_SHAPE: Shape = tree('boundProfilePackage', [
  [0xbf23, INITIALISE_SECURE_CHANNEL_SHAPE],
  [0xa0, listOf('firstSequenceOf87', protectedElement('configureIsdp', 'ciphertext'))],
  [0xa1, { ...listOf('sequenceOf88', protectedElement('storeMetadata', 'data')), more: metadataOf }],
  [0xa2, listOf('secondSequenceOf87', protectedElement('replaceSessionKeys', 'ciphertext'))],
  [0xa3, listOf('sequenceOf86', protectedElement('loadProfileElements', 'ciphertext'))],
]);

export const boundProfilePackage = tlvDescriber({
  kind: 'boundProfilePackage',
  title: 'Bound Profile Package (BF36)',
  tag: 0xbf36,
  shape: BOUND_PROFILE_PACKAGE_SHAPE,
  check(octets) {
    const bpp = decodeBoundProfilePackage(octets);
    const { firstSequenceOf87, sequenceOf88, secondSequenceOf87, sequenceOf86 } = bpp;
    const all = [...firstSequenceOf87, ...sequenceOf88, ...(secondSequenceOf87 ?? []), ...sequenceOf86];
    const longest = Math.max(...all.map(({ raw }) => raw.length));
    const mode = secondSequenceOf87 === undefined ? 'session keys' : 'keys of its own (ReplaceSessionKeys)';
    return [
      { severity: 'note', message: `the profile is protected under ${mode}` },
      { severity: 'note', message: `${all.length} protected elements, the longest of ${longest} octets` },
      ...(sequenceOf88.length > 2
        ? [
            {
              severity: 'warning',
              message: 'StoreMetadata has more than the two elements of SGP.22',
            } as const,
          ]
        : []),
    ];
  },
});
