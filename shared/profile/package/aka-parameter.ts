import { type Bytes, equal, fromHex } from '../../codec/bytes.ts';
import { integerValue, type Tlv, tlv } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { ascending, child, children, integerOf, made, withField } from './element.ts';

/** AlgoParameter.algorithmID. */
export const AKA_ALGORITHMS = { milenage: 1, tuak: 2, 'usim-test-algorithm': 3 } as const;
export type AkaAlgorithm = keyof typeof AKA_ALGORITHMS;

/** AlgoParameter and the sequence number settings of PE-AKAParameter. `key` and `opc` are secrets. */
export interface AkaParameter {
  readonly algorithm: AkaAlgorithm;
  /** One octet. */
  readonly algorithmOptions: Bytes;
  /** K: 16 octets, or 32 for TUAK. */
  readonly key: Bytes;
  /** OPc (16 octets) or TOPc (32 octets). */
  readonly opc: Bytes;
  /** Five octets, each at most 127; DEFAULT 4000204060. MILENAGE only. */
  readonly rotationConstants: Bytes;
  /** 80 octets: c1 to c5. MILENAGE only. */
  readonly xoringConstants: Bytes;
  readonly authCounterMax: Bytes | undefined;
  /** Iterations of Keccak-f[1600], DEFAULT 1. TUAK only. */
  readonly numberOfKeccak: number;
  /** One octet, DEFAULT 02. */
  readonly sqnOptions: Bytes;
  /** Six octets each, DEFAULT 000010000000. */
  readonly sqnDelta: Bytes;
  readonly sqnAgeLimit: Bytes;
  /** 32 values of six octets; undefined for the DEFAULT of zeros. */
  readonly sqnInit: readonly Bytes[] | undefined;
}

export const DEFAULT_ROTATION_CONSTANTS = fromHex('4000204060');
/** c1 to c5 of 3GPP TS 35.206: zero, then 1, 2, 4 and 8 in the last octet. */
export const DEFAULT_XORING_CONSTANTS = Buffer.concat(
  [0, 1, 2, 4, 8].map((last) => Buffer.concat([Buffer.alloc(15), Buffer.of(last)])),
);
const DEFAULT_SQN_OPTIONS = Buffer.of(0x02);
const DEFAULT_SQN_DELTA = fromHex('000010000000');
/** Octets of a sequence number without index, and how many `sqnInit` has. */
export const SQN_LENGTH = 6;
export const SQN_COUNT = 32;

const ALGO_CONFIGURATION = 0xa1;
const ALGO_PARAMETER = 0xa1;
const MAPPING_PARAMETER = 0xa0;

/** Undefined where the PE maps the algorithm of another NAA (mappingParameter) and has no key of its own. */
export function decodeAkaParameter(fields: readonly Tlv[]): AkaParameter | undefined {
  ascending(fields, 'PE-AKAParameter');
  const choice = child(fields, ALGO_CONFIGURATION);
  if (choice === undefined) refuse('profileInvalid', 'a PE-AKAParameter has no algoConfiguration');
  const algoParameter = children(choice).find(({ tag }) => tag === ALGO_PARAMETER);
  if (algoParameter === undefined) return undefined;
  const algo = ascending(children(algoParameter), 'AlgoParameter');
  const octets = (within: readonly Tlv[], tag: number, name: string, length: number, fallback: Bytes) => {
    const value = child(within, tag)?.value ?? fallback;
    if (value.length !== length) refuse('profileInvalid', `${name} has ${length} octets`);
    return value;
  };
  const keccak = child(algo, 0x87);
  const counter = child(algo, 0x86);
  const sqnInit = child(fields, 0xa5);
  return {
    algorithm: algorithmOf(child(algo, 0x80)),
    algorithmOptions: octets(algo, 0x81, 'algorithmOptions', 1, Buffer.alloc(0)),
    key: child(algo, 0x82)?.value ?? refuse('profileInvalid', 'an AlgoParameter has no key'),
    opc: child(algo, 0x83)?.value ?? refuse('profileInvalid', 'an AlgoParameter has no opc'),
    rotationConstants: octets(algo, 0x84, 'rotationConstants', 5, DEFAULT_ROTATION_CONSTANTS),
    xoringConstants: octets(algo, 0x85, 'xoringConstants', 80, DEFAULT_XORING_CONSTANTS),
    authCounterMax: counter && octets(algo, 0x86, 'authCounterMax', 3, counter.value),
    numberOfKeccak: keccak === undefined ? 1 : integerOf(keccak, 'numberOfKeccak'),
    sqnOptions: octets(fields, 0x82, 'sqnOptions', 1, DEFAULT_SQN_OPTIONS),
    sqnDelta: octets(fields, 0x83, 'sqnDelta', SQN_LENGTH, DEFAULT_SQN_DELTA),
    sqnAgeLimit: octets(fields, 0x84, 'sqnAgeLimit', SQN_LENGTH, DEFAULT_SQN_DELTA),
    sqnInit: sqnInit && children(sqnInit).map(({ value }) => value),
  };
}

/** Whether there are ssimParameters, for EAP-AKA' of an SSIM. */
export const hasSsimParameters = (fields: readonly Tlv[]): boolean => child(fields, 0xa6) !== undefined;

/** AID of the NAA whose parameters a PE-AKAParameter shares; undefined where it has its own. */
export function mappingSource(fields: readonly Tlv[]): Bytes | undefined {
  const choice = child(fields, ALGO_CONFIGURATION);
  const mapping = choice && children(choice).find(({ tag }) => tag === MAPPING_PARAMETER);
  return mapping && child(children(mapping), 0x81)?.value;
}

function algorithmOf(element: Tlv | undefined): AkaAlgorithm {
  if (element === undefined) return refuse('profileInvalid', 'an AlgoParameter has no algorithmID');
  const id = integerOf(element, 'algorithmID');
  const found = Object.entries(AKA_ALGORITHMS).find(([, number]) => number === id);
  return (found?.[0] as AkaAlgorithm | undefined) ?? refuse('profileInvalid', `algorithmID ${id} is unknown`);
}

/** The components of the PE in DER with these parameters; its PEHeader and unknown components stay. */
export function withAkaParameter(fields: readonly Tlv[], aka: AkaParameter): readonly Tlv[] {
  const algo = tlv(
    ALGO_PARAMETER,
    tlv(0x80, integerValue(AKA_ALGORITHMS[aka.algorithm])),
    tlv(0x81, aka.algorithmOptions),
    tlv(0x82, aka.key),
    tlv(0x83, aka.opc),
    octetsUnless(0x84, aka.rotationConstants, DEFAULT_ROTATION_CONSTANTS),
    octetsUnless(0x85, aka.xoringConstants, DEFAULT_XORING_CONSTANTS),
    aka.authCounterMax && tlv(0x86, aka.authCounterMax),
    aka.numberOfKeccak === 1 ? undefined : tlv(0x87, integerValue(aka.numberOfKeccak)),
  );
  const set = (rest: readonly Tlv[], tag: number, value: Bytes, fallback: Bytes) =>
    withField(rest, tag, equal(value, fallback) ? undefined : made(tag, value));
  let result = withField(fields, ALGO_CONFIGURATION, made(ALGO_CONFIGURATION, algo));
  result = set(result, 0x82, aka.sqnOptions, DEFAULT_SQN_OPTIONS);
  result = set(result, 0x83, aka.sqnDelta, DEFAULT_SQN_DELTA);
  result = set(result, 0x84, aka.sqnAgeLimit, DEFAULT_SQN_DELTA);
  const zeros = aka.sqnInit?.every((sqn) => sqn.every((octet) => octet === 0)) ?? true;
  const sqnInit = zeros || aka.sqnInit === undefined ? undefined : aka.sqnInit.map((sqn) => tlv(0x04, sqn));
  return withField(result, 0xa5, sqnInit && made(0xa5, ...sqnInit));
}

function octetsUnless(tag: number, value: Bytes, fallback: Bytes): Bytes | undefined {
  return equal(value, fallback) ? undefined : tlv(tag, value);
}

/** What keeps these lengths from working together, or undefined (3GPP TS 35.206 and TS 35.231). */
export function akaLengthsFault({ algorithm, key, opc }: AkaParameter): string | undefined {
  if (algorithm === 'milenage') {
    if (key.length !== 16) return 'MILENAGE has a K of 16 octets';
    if (opc.length !== 16) return 'MILENAGE has an OPc of 16 octets';
  } else if (algorithm === 'tuak') {
    if (key.length !== 16 && key.length !== 32) return 'TUAK has a K of 16 or 32 octets';
    if (opc.length !== 32) return 'TUAK has a TOPc of 32 octets';
  } else if (key.length !== 16) return 'the USIM test algorithm has a K of 16 octets';
  return undefined;
}
