import { type AkaAlgorithm, type AkaParameter, decodeAkaParameter } from '../aka-parameter.ts';
import type { ProfileElement } from '../profile-element.ts';
import type { CheckedPackage } from './checked-package.ts';
import { type RuleGroup, rule } from './rule.ts';

interface Keyed {
  readonly element: ProfileElement;
  readonly aka: AkaParameter;
}

const keyed =
  (...algorithms: readonly AkaAlgorithm[]) =>
  (checked: CheckedPackage): readonly Keyed[] =>
    checked.named('akaParameter').flatMap((element) => {
      const aka = decodeAkaParameter(element.fields);
      return aka !== undefined && algorithms.includes(aka.algorithm) ? [{ element, aka }] : [];
    });

const WAY_OUT =
  'Give K and OPc or TOPc in the lengths of the algorithm, or name the algorithm that they are for.';

function lengthRule(
  id: string,
  algorithms: readonly AkaAlgorithm[],
  member: 'key' | 'opc',
  lengths: readonly number[],
  text: string,
) {
  return rule<Keyed>({
    id,
    clause: '8.4.2',
    text: `${text}.`,
    wayOut: WAY_OUT,
    subjects: keyed(...algorithms),
    breach: ({ aka }) =>
      lengths.includes(aka[member].length) ? undefined : `${text}, not ${aka[member].length}`,
    element: ({ element }) => element,
  });
}

/** Lengths of keys (3GPP TS 35.206, TS 35.231, TS 34.108). */
export const akaRules: RuleGroup = {
  name: 'AKA parameters',
  rules: [
    lengthRule(
      'aka-k-length',
      ['milenage', 'usim-test-algorithm'],
      'key',
      [16],
      'MILENAGE and the USIM test algorithm have a K of 16 octets',
    ),
    lengthRule('tuak-k-length', ['tuak'], 'key', [16, 32], 'TUAK has a K of 16 or 32 octets'),
    lengthRule('milenage-opc-length', ['milenage'], 'opc', [16], 'MILENAGE has an OPc of 16 octets'),
    lengthRule('tuak-topc-length', ['tuak'], 'opc', [32], 'TUAK has a TOPc of 32 octets'),
  ],
};
