import { type Bytes, equal, fromHex, toHex } from '../../../codec/bytes.ts';
import type { PeCodec } from '../draft.ts';
import {
  defineParameter,
  octetsInput,
  type Parameter,
  refuseParameter,
  type SlotSpec,
  saysOctets,
} from '../parameter.ts';
import { elementsNamed, type ProfilePackage } from '../profile-element.ts';
import { instanceAid, type KeyObject, keyList, withKeyList } from '../security-domain.ts';

/**
 * Keys of a security domain are named `SCP.KVN.KEY`, with KVN in two hexadecimal digits:
 * `scp80.01.enc`, `scp80.01.mac`, `scp80.01.dek`, `scp81.40.psk`, `scp03.30.enc`. `:des` or `:aes` sets the key
 * type, else a key keeps the template's and a new one is AES. `@AID` names the security domain, else it is the
 * first in the package: that of the Operator (MNO-SD).
 */
const NAME =
  /^(scp0[23]|scp8[01])\.([0-9a-fA-F]{2})\.(enc|mac|dek|psk)(?::(des|aes))?(?:@((?:[0-9a-fA-F]{2}){5,16}))?$/;

/** GlobalPlatform Card Specification 2.3 table 11-16. */
const KEY_TYPE = { des: 0x80, psk: 0x85, aes: 0x88 } as const;
type KeyType = keyof typeof KEY_TYPE;
const KEY_LENGTHS: Readonly<Record<KeyType, readonly number[]>> = {
  des: [16, 24],
  aes: [16, 24, 32],
  psk: [16, 24, 32, 48, 64],
};

interface Protocol {
  /** Key version numbers, both included (ETSI TS 102 226, GlobalPlatform Card Specification amendments B, D). */
  readonly versions: readonly [number, number];
  /** Version of an initial key set outside that range. */
  readonly initialVersion?: number;
  readonly types: readonly KeyType[];
  readonly keys: Readonly<Record<string, { readonly identifier: number; readonly usage: number }>>;
}

const ENC_MAC_DEK = {
  enc: { identifier: 1, usage: 0x18 },
  mac: { identifier: 2, usage: 0x14 },
  dek: { identifier: 3, usage: 0x48 },
};
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  scp80: { versions: [0x01, 0x0f], types: ['des', 'aes'], keys: ENC_MAC_DEK },
  scp02: { versions: [0x20, 0x2f], initialVersion: 0xff, types: ['des'], keys: ENC_MAC_DEK },
  scp03: { versions: [0x30, 0x3f], types: ['aes'], keys: ENC_MAC_DEK },
  scp81: {
    versions: [0x40, 0x4f],
    types: ['psk', 'aes', 'des'],
    keys: { psk: { identifier: 1, usage: 0x3c }, dek: { identifier: 2, usage: 0x48 } },
  },
};

function usesVersion({ versions: [lowest, highest], initialVersion }: Protocol, kvn: number): boolean {
  return (kvn >= lowest && kvn <= highest) || kvn === initialVersion;
}

const CODEC: PeCodec<readonly KeyObject[]> = { decode: keyList, encode: withKeyList };

interface KeySite {
  readonly place: number;
  readonly keys: readonly KeyObject[];
}

/** The parameter of this name, or undefined when it does not name a key. */
export function securityDomainKey(name: string): Parameter | undefined {
  const [, scp, version, key, type, aid] = NAME.exec(name) ?? [];
  if (scp === undefined || version === undefined || key === undefined) return undefined;
  const protocol = PROTOCOLS[scp]!;
  const kvn = Number.parseInt(version, 16);
  const role = protocol.keys[key];
  if (role === undefined) refuseParameter(name, `${scp} has no ${key} key`);
  if (!usesVersion(protocol, kvn)) refuseParameter(name, `${scp} does not use this key version number`);
  if (type !== undefined && !protocol.types.includes(type as KeyType))
    refuseParameter(name, `${scp} has no ${type} keys`);
  const isKey = (object: KeyObject) =>
    object.keyVersionNumber === kvn && object.keyIdentifier === role.identifier;

  return defineParameter<Bytes, KeySite>({
    name,
    secret: true,
    parse: (value) => octetsInput(name, value),
    sites: (profile) => [securityDomain(name, profile, aid)],
    target: ({ place }) => `${place}/${kvn}/${role.identifier}`,
    write(draft, { place, keys }, data) {
      draft.change(place, CODEC, keys, (current) => {
        const existing = current.find(isKey);
        const keyType = wantedType(name, protocol, key, type as KeyType | undefined, existing);
        if (!KEY_LENGTHS[keyType].includes(data.length)) {
          refuseParameter(
            name,
            `a ${keyType} key has ${KEY_LENGTHS[keyType].join(', ')} octets, not ${data.length}`,
          );
        }
        const component = {
          keyType: Buffer.of(KEY_TYPE[keyType]),
          keyData: data,
          macLength: existing?.keyComponents[0]?.macLength ?? 8,
        };
        const changed: KeyObject = {
          keyUsageQualifier: existing?.keyUsageQualifier ?? Buffer.of(role.usage),
          keyAccess: existing?.keyAccess ?? Buffer.of(0x00),
          keyIdentifier: role.identifier,
          keyVersionNumber: kvn,
          keyCounterValue: existing?.keyCounterValue,
          keyComponents: [component],
        };
        return existing === undefined
          ? [...current, changed]
          : current.map((object) => (object === existing ? changed : object));
      });
    },
    read(profile, { place }) {
      const found = keyList(profile.elements[place]!.fields).filter(isKey);
      return found.length === 1 ? toHex(found[0]!.keyComponents[0]?.keyData ?? Buffer.alloc(0)) : '';
    },
    text: toHex,
    slot: slotOf(isKey),
  });
}

/** The octets of a key stand in its KeyObject in one piece. */
const slotOf = (isKey: (object: KeyObject) => boolean): SlotSpec<Bytes, KeySite> => ({
  find: (profile, { place }) =>
    keyList(profile.elements[place]!.fields)
      .filter(isKey)
      .flatMap(({ keyComponents }) => keyComponents.map(({ keyData }) => keyData)),
  octets: (_, data) => data,
  read: (_, octets) => toHex(octets),
  says: saysOctets,
});

function securityDomain(name: string, profile: ProfilePackage, aid: string | undefined): KeySite {
  const place = elementsNamed(profile, 'securityDomain').find(
    (index) => aid === undefined || equal(instanceAid(profile.elements[index]!.fields), fromHex(aid)),
  );
  if (place === undefined) {
    return refuseParameter(
      name,
      aid ? 'the template has no such security domain' : 'the template has no security domain',
    );
  }
  return { place, keys: keyList(profile.elements[place]!.fields) };
}

function wantedType(
  name: string,
  protocol: Protocol,
  key: string,
  asked: KeyType | undefined,
  existing: KeyObject | undefined,
): KeyType {
  if (existing !== undefined && existing.keyComponents.length !== 1) {
    refuseParameter(name, 'the key of the template has several components');
  }
  if (key === 'psk') return 'psk';
  if (asked !== undefined) return asked;
  const present = existing?.keyComponents[0]?.keyType[0];
  const found = (Object.keys(KEY_TYPE) as KeyType[]).find((type) => KEY_TYPE[type] === present);
  if (found !== undefined) return found;
  return protocol.types.includes('aes') ? 'aes' : 'des';
}

/** The names under which the keys of a package's security domains are set, for finding those that nobody set. */
export function securityDomainKeyTargets(
  profile: ProfilePackage,
): readonly { target: string; label: string }[] {
  return elementsNamed(profile, 'securityDomain').flatMap((place) => {
    const { fields } = profile.elements[place]!;
    const aid = toHex(instanceAid(fields)).toUpperCase();
    return keyList(fields).map(({ keyVersionNumber, keyIdentifier }) => ({
      target: `${place}/${keyVersionNumber}/${keyIdentifier}`,
      label: `key ${keyIdentifier} of version ${keyVersionNumber.toString(16).padStart(2, '0')} in ${aid}`,
    }));
  });
}

/** Every key of the package's security domains that has a parameter name, with its length in octets. */
export function securityDomainKeyNames(
  profile: ProfilePackage,
): readonly { name: string; kind: 'octets'; length: number }[] {
  return elementsNamed(profile, 'securityDomain').flatMap((place) => {
    const { fields } = profile.elements[place]!;
    const aid = toHex(instanceAid(fields)).toUpperCase();
    return keyList(fields).flatMap(({ keyVersionNumber, keyIdentifier, keyComponents }) => {
      for (const [scp, protocol] of Object.entries(PROTOCOLS)) {
        if (!usesVersion(protocol, keyVersionNumber)) continue;
        const [key] =
          Object.entries(protocol.keys).find(([, { identifier }]) => identifier === keyIdentifier) ?? [];
        const length = keyComponents[0]?.keyData.length;
        if (key === undefined || length === undefined) continue;
        const version = keyVersionNumber.toString(16).padStart(2, '0');
        return [{ name: `${scp}.${version}.${key}@${aid}`, kind: 'octets' as const, length }];
      }
      return [];
    });
  });
}
