import { toHex } from '../../../codec/bytes.ts';
import { akaLengthsFault, decodeAkaParameter } from '../aka-parameter.ts';
import { pinConfigurations } from '../pin-codes.ts';
import type { ProfilePackage } from '../profile-element.ts';
import { pukConfigurations } from '../puk-codes.ts';
import { instanceAid, keyList } from '../security-domain.ts';
import { about, type Finding } from './finding.ts';

/** Keys and codes: lengths that the algorithms take, references and AIDs defined once, every PUK that is referred to. */
export function checkSecrets({ elements }: ProfilePackage): readonly Finding[] {
  const puks = new Set(
    elements
      .filter(({ name }) => name === 'pukCodes')
      .flatMap(({ fields }) => pukConfigurations(fields).map(({ keyReference }) => keyReference)),
  );
  const domains = new Set<string>();
  return elements.flatMap((element): readonly Finding[] => {
    const { name, fields } = element;
    if (name === 'akaParameter') {
      const aka = decodeAkaParameter(fields);
      const fault = aka && akaLengthsFault(aka);
      return fault === undefined ? [] : [about(element, 'error', 'akaLengths', fault)];
    }
    if (name === 'pukCodes') {
      const references = pukConfigurations(fields).map(({ keyReference }) => keyReference);
      return repeated(references).map((reference) =>
        about(element, 'error', 'pinDuplicate', `PUK reference ${reference} is defined twice`),
      );
    }
    if (name === 'pinCodes') {
      const pins = pinConfigurations(fields);
      return [
        ...repeated(pins.map(({ keyReference }) => keyReference)).map((reference) =>
          about(element, 'error', 'pinDuplicate', `PIN reference ${reference} is defined twice`),
        ),
        ...pins
          .filter(({ unblockingPinReference: puk }) => puk !== undefined && !puks.has(puk))
          .map(({ unblockingPinReference }) =>
            about(element, 'error', 'pukMissing', `PUK reference ${unblockingPinReference} is not defined`),
          ),
      ];
    }
    if (name === 'securityDomain') {
      const keys = keyList(fields).map((key) => key.keyVersionNumber * 256 + key.keyIdentifier);
      const aid = toHex(instanceAid(fields)).toUpperCase();
      const known = domains.has(aid);
      domains.add(aid);
      return [
        ...(known
          ? [about(element, 'error', 'aidDuplicate', `a security domain before has AID ${aid}`)]
          : []),
        ...repeated(keys).map((key) =>
          about(element, 'error', 'keyDuplicate', `key ${key & 0xff} of version ${key >>> 8} is there twice`),
        ),
      ];
    }
    return [];
  });
}

function repeated(numbers: readonly number[]): readonly number[] {
  return numbers.filter((number, at) => numbers.indexOf(number) !== at);
}
