import { toHex } from '../../../codec/bytes.ts';
import { applicationInstances } from '../application-instance.ts';
import { child } from '../element.ts';
import type { ProfileElement } from '../profile-element.ts';
import { instanceAid, keyList } from '../security-domain.ts';
import type { CheckedPackage } from './checked-package.ts';
import { elementRule, type Rule, type RuleGroup, repeated, rule } from './rule.ts';

const OPEN_PERSO_DATA = 0xa4;
const CAT_TP_PARAMETERS = 0xa5;

const isDomain = ({ name }: ProfileElement) => name === 'securityDomain';
const byte = (octet: number) => octet.toString(16).toUpperCase().padStart(2, '0');

function before(id: string, pe: 'rfm' | 'application', clause: string): Rule {
  return elementRule({
    id,
    clause,
    text: `A security domain comes before every PE ${pe}.`,
    wayOut: `Move the PE securityDomain before the PE ${pe}.`,
    of: ({ name }) => name === pe,
    breach: (element, checked) =>
      checked.elements.slice(0, checked.placeOf(element)).some(isDomain)
        ? undefined
        : `no security domain comes before the PE ${pe}`,
  });
}

function onlyFirst(id: string, clause: string, tag: number, name: string): Rule {
  return rule({
    id,
    clause,
    text: `Only the first security domain, that of the Operator, has ${name}.`,
    wayOut: `Move ${name} to the first security domain.`,
    subjects: (checked) => checked.named('securityDomain'),
    breach: (element, checked: CheckedPackage) =>
      checked.named('securityDomain')[0] !== element && child(element.fields, tag) !== undefined
        ? `${name} stands in a security domain that is not the first`
        : undefined,
    element: (element) => element,
  });
}

/** Security domains and applications. */
export const securityDomainRules: RuleGroup = {
  name: 'Security domains and applications',
  rules: [
    before('sd-before-rfm', 'rfm', '8.6.2'),
    before('sd-before-application', 'application', '8.6.2'),
    elementRule({
      id: 'sd-aid-unique',
      clause: '8.6.2',
      text: 'No two security domains have one AID.',
      wayOut: 'Give each security domain an AID of its own.',
      of: isDomain,
      breach: (element, checked) => {
        const aidOf = ({ fields }: ProfileElement) => toHex(instanceAid(fields)).toUpperCase();
        const first = checked.named('securityDomain').find((other) => aidOf(other) === aidOf(element));
        return first === element ? undefined : `a security domain before has AID ${aidOf(element)}`;
      },
    }),
    elementRule({
      id: 'sd-key-unique',
      clause: '8.6.3',
      text: 'No key of a security domain stands twice.',
      wayOut: 'Leave one key for each version and identifier.',
      of: isDomain,
      breach: (element) =>
        repeated(keyList(element.fields).map((key) => key.keyVersionNumber * 256 + key.keyIdentifier)).map(
          (key) => ({ message: `key ${key & 0xff} of version ${byte(key >>> 8)} is there twice`, element }),
        ),
    }),
    elementRule({
      id: 'sd-component-unique',
      clause: '8.6.3',
      text: 'No key has two components of one keyType.',
      wayOut: 'Leave one component for each type.',
      of: isDomain,
      breach: (element) =>
        keyList(element.fields).flatMap((key) =>
          repeated(key.keyComponents.map(({ keyType }) => toHex(keyType).toUpperCase())).map((type) => ({
            message: `key ${key.keyIdentifier} of version ${byte(key.keyVersionNumber)} has two components of type ${type}`,
            element,
          })),
        ),
    }),
    onlyFirst('sd-open-perso-mno', '8.6.6', OPEN_PERSO_DATA, 'openPersoData'),
    onlyFirst('sd-cat-tp-mno', '8.6.7', CAT_TP_PARAMETERS, 'catTpParameters'),
    rule({
      id: 'mno-sd-not-extradited',
      clause: '8.7.3',
      text: 'The first security domain, that of the Operator, is not extradited.',
      wayOut: 'Remove extraditeSecurityDomainAID.',
      subjects: (checked) => checked.named('securityDomain').slice(0, 1),
      breach: (element) =>
        applicationInstances(element)[0]?.extraditedTo === undefined
          ? undefined
          : 'the security domain of the Operator is extradited',
      element: (element) => element,
    }),
    rule({
      id: 'extradition-target-state',
      clause: '8.7.3',
      text: 'A security domain to which something is extradited is personalised (life cycle state 0F).',
      wayOut: 'Set lifeCycleState of that security domain to 0F.',
      subjects: ({ elements }) =>
        elements.flatMap((element) =>
          applicationInstances(element).flatMap(({ extraditedTo }) =>
            extraditedTo === undefined ? [] : [{ element, extraditedTo }],
          ),
        ),
      breach: ({ extraditedTo }, checked) => {
        const target = checked
          .named('securityDomain')
          .flatMap(applicationInstances)
          .find(({ instanceAid: aid }) => aid === extraditedTo);
        return target === undefined || target.lifeCycleState === 0x0f
          ? undefined
          : `${extraditedTo}, to which it is extradited, has life cycle state ${byte(target.lifeCycleState)}`;
      },
      element: ({ element }) => element,
    }),
  ],
};
