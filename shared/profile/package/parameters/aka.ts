import { type Bytes, equal, fromHex, toHex } from '../../../codec/bytes.ts';
import { present } from '../../../present.ts';
import {
  AKA_ALGORITHMS,
  type AkaAlgorithm,
  type AkaParameter,
  akaLengthsFault,
  decodeAkaParameter,
  SQN_COUNT,
  SQN_LENGTH,
  withAkaParameter,
} from '../aka-parameter.ts';
import type { PackageDraft, PeCodec } from '../draft.ts';
import { milenageOpc, tuakTopc } from '../operator-variant.ts';
import {
  defineParameter,
  listInput,
  octetsInput,
  type Parameter,
  type ParameterValue,
  type ProfileValues,
  refuseParameter,
  type SlotSpec,
  saysOctets,
  textInput,
} from '../parameter.ts';
import { elementsNamed, type ProfilePackage } from '../profile-element.ts';

/** A PE-AKAParameter with an algorithm of its own. */
export interface AkaSite {
  readonly place: number;
  readonly aka: AkaParameter;
}

const CODEC: PeCodec<AkaParameter> = {
  decode: (fields) => decodeAkaParameter(fields) as AkaParameter,
  encode: withAkaParameter,
};

/** All of them: a package holds one subscription, whose key its NAAs share. */
export function akaSites(profile: ProfilePackage): readonly AkaSite[] {
  return elementsNamed(profile, 'akaParameter').flatMap((place) => {
    const aka = decodeAkaParameter(profile.elements[place]!.fields);
    return aka === undefined ? [] : [{ place, aka }];
  });
}

function akaParameter<Value>(spec: {
  readonly name: string;
  readonly secret?: boolean;
  parse(value: ParameterValue): Value;
  set(aka: AkaParameter, value: Value): AkaParameter;
  get(aka: AkaParameter): string;
  text(value: Value): string;
  readonly slot?: SlotSpec<Value, AkaSite>;
}): Parameter {
  return defineParameter<Value, AkaSite>({
    name: spec.name,
    secret: spec.secret ?? false,
    parse: spec.parse,
    sites(profile) {
      const sites = akaSites(profile);
      return sites.length > 0
        ? sites
        : refuseParameter(spec.name, 'the template has no akaParameter of its own');
    },
    target: ({ place }) => `${place}/${spec.name === 'op' ? 'opc' : spec.name}`,
    write: (draft, { place, aka }, value) =>
      draft.change(place, CODEC, aka, (current) => spec.set(current, value)),
    read(profile, { place }) {
      const aka = decodeAkaParameter(profile.elements[place]!.fields);
      return aka === undefined ? '' : spec.get(aka);
    },
    text: spec.text,
    ...present({ slot: spec.slot }),
  });
}

/** K and OPc stand in their PE in one piece, and nothing else follows them. */
const keySlot = (member: 'key' | 'opc'): SlotSpec<Bytes, AkaSite> => ({
  find(profile, { place }) {
    const aka = decodeAkaParameter(profile.elements[place]!.fields);
    return aka === undefined ? [] : [aka[member]];
  },
  octets: (_, value) => value,
  read: (_, octets) => toHex(octets),
  says: saysOctets,
});

function octetsParameter(
  name: 'algorithmOptions' | 'rotationConstants' | 'xoringConstants' | 'authCounterMax' | SqnField,
  length: number,
  check?: (octets: Bytes) => void,
): Parameter {
  return akaParameter({
    name,
    parse(value) {
      const octets = octetsInput(name, value, [length]);
      check?.(octets);
      return octets;
    },
    set: (aka, octets) => ({ ...aka, [name]: octets }),
    get: (aka) => toHex(aka[name] ?? Buffer.alloc(0)),
    text: toHex,
  });
}
type SqnField = 'sqnOptions' | 'sqnDelta' | 'sqnAgeLimit';

/** Sequence numbers of the module are at most 07FFFFFFFFFF. */
function checkSqn(name: string): (octets: Bytes) => void {
  return (octets) => {
    if (octets[0]! > 0x07) refuseParameter(name, 'must be at most 07FFFFFFFFFF');
  };
}

function checkRotations(octets: Bytes): void {
  if (octets.some((octet) => octet > 127)) refuseParameter('rotationConstants', 'must each be at most 127');
}

const algorithm = akaParameter<AkaAlgorithm>({
  name: 'algorithm',
  parse(value) {
    const name = textInput('algorithm', value);
    return Object.hasOwn(AKA_ALGORITHMS, name)
      ? (name as AkaAlgorithm)
      : refuseParameter('algorithm', `must be ${Object.keys(AKA_ALGORITHMS).join(', ')}`);
  },
  set: (aka, value) => ({ ...aka, algorithm: value }),
  get: (aka) => aka.algorithm,
  text: (value) => value,
});

const numberOfKeccak = akaParameter<number>({
  name: 'numberOfKeccak',
  parse(value) {
    const text = textInput('numberOfKeccak', value);
    const count = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : 0;
    return count >= 1 && count <= 255 ? count : refuseParameter('numberOfKeccak', 'must be 1 to 255');
  },
  set: (aka, count) => ({ ...aka, numberOfKeccak: count }),
  get: (aka) => String(aka.numberOfKeccak),
  text: String,
});

/** 32 initial sequence numbers of six octets without index, or one for all. */
const sqnInit = akaParameter<readonly Bytes[]>({
  name: 'sqnInit',
  parse(value) {
    const list = listInput('sqnInit', value).map((sqn) => octetsInput('sqnInit', sqn, [SQN_LENGTH]));
    list.forEach(checkSqn('sqnInit'));
    if (list.length === 1) return Array.from({ length: SQN_COUNT }, () => list[0]!);
    return list.length === SQN_COUNT ? list : refuseParameter('sqnInit', `must be one value or ${SQN_COUNT}`);
  },
  set: (aka, list) => ({ ...aka, sqnInit: list }),
  get: ({ sqnInit: list }) =>
    (list ?? Array.from({ length: SQN_COUNT }, () => Buffer.alloc(SQN_LENGTH))).map(toHex).join(';'),
  text: (list) => list.map(toHex).join(';'),
});

const k = akaParameter<Bytes>({
  name: 'k',
  secret: true,
  parse: (value) => octetsInput('k', value, [16, 32]),
  set: (aka, key) => ({ ...aka, key }),
  get: ({ key }) => toHex(key),
  text: toHex,
  slot: keySlot('key'),
});

const opc = akaParameter<Bytes>({
  name: 'opc',
  secret: true,
  parse: (value) => octetsInput('opc', value, [16, 32]),
  set: (aka, value) => ({ ...aka, opc: value }),
  get: ({ opc: value }) => toHex(value),
  text: toHex,
  slot: keySlot('opc'),
});

/**
 * OP or TOP: the OPc (MILENAGE) or TOPc (TUAK) of the row's K is computed and stored. What is stored does not
 * tell OP, so reading back computes again from the stored K.
 */
const op: Parameter = {
  name: 'op',
  secret: true,
  bind(profile) {
    const bound = opc.bind(profile);
    const sites = akaSites(profile);
    return {
      name: 'op',
      secret: true,
      targets: bound.targets,
      slots: sites.map(({ place, aka }) => {
        const variant = (value: ParameterValue, { k: key }: ProfileValues) =>
          operatorVariant(
            key === undefined ? aka : { ...aka, key: octetsInput('k', key) },
            octetsInput('op', value, [16, 32]),
          );
        return {
          target: `${place}/opc`,
          alone: false,
          find: (personalised) => keySlot('opc').find(personalised, { place, aka }),
          octets: variant,
          says: (octets, value, values) => equal(octets, variant(value, values)),
        };
      }),
      write(draft, value) {
        const octets = octetsInput('op', value, [16, 32]);
        for (const { place, aka } of sites) {
          draft.change(place, CODEC, aka, (current) => ({
            ...current,
            opc: operatorVariant(current, octets),
          }));
        }
      },
      read: (personalised) => bound.read(personalised),
      holds(personalised, value) {
        const octets = octetsInput('op', value, [16, 32]);
        return akaSites(personalised).every(
          ({ aka }) =>
            octets.length === OP_LENGTHS[aka.algorithm] &&
            akaLengthsFault(aka) === undefined &&
            equal(aka.opc, operatorVariant(aka, octets)),
        );
      },
    };
  },
};

const OP_LENGTHS: Readonly<Record<AkaAlgorithm, number | undefined>> = {
  milenage: 16,
  tuak: 32,
  'usim-test-algorithm': undefined,
};

/** OPc or TOPc of this OP or TOP under the key of `aka`; refuses lengths that do not fit its algorithm. */
export function operatorVariant(aka: AkaParameter, op: Bytes): Bytes {
  const length = OP_LENGTHS[aka.algorithm];
  if (length === undefined) refuseParameter('op', 'the USIM test algorithm has none');
  if (op.length !== length) refuseParameter('op', 'must have 16 octets for MILENAGE, 32 for TUAK');
  if (aka.algorithm === 'milenage') {
    if (aka.key.length !== 16) refuseParameter('k', 'must have 16 octets for MILENAGE');
    return milenageOpc(aka.key, op);
  }
  return tuakTopc(aka.key, op, aka.numberOfKeccak);
}

/** In the order of writing: OPc from OP needs the algorithm, its iterations and K. */
export const akaParameters: readonly Parameter[] = [
  algorithm,
  octetsParameter('algorithmOptions', 1),
  octetsParameter('rotationConstants', 5, checkRotations),
  octetsParameter('xoringConstants', 80),
  octetsParameter('authCounterMax', 3),
  numberOfKeccak,
  octetsParameter('sqnOptions', 1),
  octetsParameter('sqnDelta', SQN_LENGTH, checkSqn('sqnDelta')),
  octetsParameter('sqnAgeLimit', SQN_LENGTH, checkSqn('sqnAgeLimit')),
  sqnInit,
  k,
  opc,
  op,
];

/** The K that GSMA TS.48 profiles and many examples carry. */
const WELL_KNOWN_KEY = fromHex('000102030405060708090a0b0c0d0e0f');

/** Refuses lengths that the algorithm cannot take, and with `operational` the keys of templates and tests. */
export function checkAka(draft: PackageDraft, sites: readonly AkaSite[], operational: boolean): void {
  for (const { place, aka: template } of sites) {
    const aka = draft.view(place, template);
    const fault = akaLengthsFault(aka);
    if (fault !== undefined) refuseParameter(fault.includes('OPc') ? 'opc' : 'k', fault);
    if (!operational) continue;
    if (aka.algorithm === 'usim-test-algorithm') {
      refuseParameter('algorithm', 'an operational profile must not use the USIM test algorithm');
    }
    refuseKnownKey(aka.key, template);
  }
}

/** Refuses a K that others have too: that of the template, that of the published profiles, one octet repeated. */
export function refuseKnownKey(k: Bytes, template: AkaParameter): void {
  const repeated = k.every((octet) => octet === k[0]);
  if (repeated || equal(k.subarray(0, 16), WELL_KNOWN_KEY) || equal(k, template.key))
    refuseParameter('k', 'an operational profile must not keep a template or test key');
}
