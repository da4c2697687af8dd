import { hasSsimParameters, mappingSource } from '../aka-parameter.ts';
import { aidText } from '../application-instance.ts';
import type { PeName, ProfileElement } from '../profile-element.ts';
import type { CheckedPackage } from './checked-package.ts';
import { elementRule, type RuleGroup } from './rule.ts';

/** PEs of this name whose NAA is known. */
const named = (name: PeName) => (element: ProfileElement, checked: CheckedPackage) =>
  element.name === name && checked.system.contexts[checked.placeOf(element)]?.unknown === false;

/** An ADF of genericFileManagement may be one as well. */
function isSsim(element: ProfileElement, checked: CheckedPackage): boolean {
  const naa = checked.system.contexts[checked.placeOf(element)]?.adf?.naa;
  return naa === 'ssim' || naa === 'other';
}

const WAY_OUT = 'Move the PE behind those that make its NAA.';

/** Parameters of NAAs and their context. */
export const naaRules: RuleGroup = {
  name: 'Network access applications',
  rules: [
    elementRule({
      id: 'aka-after-naa',
      clause: '8.4.1, 8.4.2',
      text: 'An akaParameter follows an NAA: USIM, ISIM, CSIM, SSIM, or an ADF that genericFileManagement makes.',
      wayOut: WAY_OUT,
      of: named('akaParameter'),
      breach: (element, checked) =>
        checked.system.contexts[checked.placeOf(element)]?.adf === undefined
          ? 'the PE akaParameter does not follow an NAA'
          : undefined,
    }),
    elementRule({
      id: 'aka-once-per-naa',
      clause: '8.1.3',
      text: 'An NAA has one akaParameter: of several, it is not defined which one is used.',
      wayOut: 'Leave the akaParameter that the NAA is meant to use.',
      of: named('akaParameter'),
      breach: (element, checked) => {
        const adfOf = (other: typeof element) => checked.system.contexts[checked.placeOf(other)]?.adf;
        const own = adfOf(element);
        const first = checked.named('akaParameter').find((other) => adfOf(other) === own);
        return own === undefined || first === element ? undefined : 'the NAA has another akaParameter';
      },
    }),
    elementRule({
      id: 'mapping-source-known',
      clause: '8.4.2',
      text: 'mappingSource is the AID of an NAA that came before.',
      wayOut: 'Name the AID of the NAA whose algorithm is to be shared, or give parameters.',
      of: ({ name, fields }) => name === 'akaParameter' && mappingSource(fields) !== undefined,
      breach: (element, checked) => {
        const aid = aidText(mappingSource(element.fields)!);
        const place = checked.placeOf(element);
        const known = checked.adfs.some((adf) => adf.place < place && checked.aidOf(adf) === aid);
        return known ? undefined : `mappingSource ${aid} is no NAA that came before`;
      },
    }),
    elementRule({
      id: 'cdma-after-csim',
      clause: '8.4.3',
      text: 'A cdmaParameter follows a CSIM.',
      wayOut: WAY_OUT,
      of: named('cdmaParameter'),
      breach: (element, checked) => {
        const naa = checked.system.contexts[checked.placeOf(element)]?.adf?.naa;
        return naa === 'csim' || naa === 'other' ? undefined : 'the PE cdmaParameter does not follow a CSIM';
      },
    }),
    elementRule({
      id: 'eap-tls-after-ssim',
      clause: '8.4.4',
      text: 'EAP-TLS parameters follow an SSIM.',
      wayOut: WAY_OUT,
      of: named('ssimEapTLSParameters'),
      breach: (element, checked) =>
        isSsim(element, checked) ? undefined : 'the PE ssimEapTLSParameters does not follow an SSIM',
    }),
    elementRule({
      id: 'ssim-one-auth',
      clause: '8.1.3',
      text: 'An SSIM has one PE of EAP-TLS parameters, or an akaParameter, not both.',
      wayOut: 'Leave the PE by which the SSIM is meant to authenticate.',
      of: named('ssimEapTLSParameters'),
      breach: (element, checked) => {
        const adfOf = (other: typeof element) => checked.system.contexts[checked.placeOf(other)]?.adf;
        const own = adfOf(element);
        const alike = checked
          .named('ssimEapTLSParameters', 'akaParameter')
          .filter((one) => adfOf(one) === own);
        const isFirst = alike.find(({ name }) => name === 'ssimEapTLSParameters') === element;
        const other = isFirst ? alike.find(({ name }) => name === 'akaParameter') : alike[0];
        return own === undefined || other === undefined
          ? undefined
          : `the SSIM has a PE ${other.name} as well`;
      },
    }),
    elementRule({
      id: 'ssim-parameters-context',
      clause: '8.4.2',
      text: 'ssimParameters stand only where the NAA is an SSIM.',
      wayOut: 'Remove ssimParameters, or move the akaParameter behind its SSIM.',
      of: (element, checked) => named('akaParameter')(element, checked) && hasSsimParameters(element.fields),
      breach: (element, checked) =>
        isSsim(element, checked) ? undefined : 'the akaParameter has ssimParameters, and its NAA is no SSIM',
    }),
    elementRule({
      id: 'eap-after-adf',
      clause: '8.3.4.7',
      text: 'A PE eap follows the ADF of the application that supports EAP.',
      wayOut: WAY_OUT,
      of: named('eap'),
      breach: (element, checked) =>
        checked.system.contexts[checked.placeOf(element)]?.adf === undefined
          ? 'the PE eap does not follow an ADF'
          : undefined,
    }),
  ],
};
