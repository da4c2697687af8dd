import { type AkaParameter, decodeAkaParameter } from '../aka-parameter.ts';
import { isFilePe } from '../file-pes.ts';
import { templateOid } from '../files.ts';
import type { Naa } from '../naa.ts';
import type { PeName } from '../profile-element.ts';
import { ALGORITHM_SERVICES, algorithmService, type ServiceName } from '../services.ts';
import type { CheckedPackage } from './checked-package.ts';
import { elementRule, type RuleGroup, rule } from './rule.ts';

/** A mandatory service that makes sense only beside an NAA, in whatever way it is made, or beside a PE. */
const NEEDS_NAA: { readonly [service in ServiceName]?: readonly Naa[] } = {
  usim: ['usim'],
  isim: ['isim'],
  csim: ['csim'],
  'gba-usim': ['usim'],
  'gba-isim': ['isim'],
  mbms: ['usim'],
  'multiple-usim': ['usim'],
  'multiple-isim': ['isim'],
  'multiple-csim': ['csim'],
  'get-identity': ['usim', 'isim'],
  'profile-a-x25519': ['usim', 'isim'],
  'profile-b-p256': ['usim', 'isim'],
  'ssim-Eap-Tls': ['ssim'],
  'ssim-Eap-Aka-prime': ['ssim'],
};
const NEEDS_PE: { readonly [service in ServiceName]?: PeName } = { cave: 'cdmaParameter', eap: 'eap' };

const headers = ({ elements }: CheckedPackage) =>
  elements.slice(0, 1).filter(({ name }) => name === 'header');
const services = (checked: CheckedPackage) =>
  headers(checked).length === 0 ? [] : checked.header.mandatoryServices;
const header = (_: ServiceName, { elements }: CheckedPackage) => elements[0];

const algorithmsOf = (checked: CheckedPackage): ReadonlySet<ServiceName> =>
  new Set(
    checked
      .named('akaParameter')
      .map(({ fields }) => decodeAkaParameter(fields))
      .filter((aka): aka is AkaParameter => aka !== undefined)
      .map(algorithmService),
  );

/** eUICC-Mandatory-services and eUICC-Mandatory-GFSTEList against what is in the package. */
export const serviceRules: RuleGroup = {
  name: 'Mandatory services',
  rules: [
    rule({
      id: 'service-known',
      clause: '8.2.1',
      text: 'Every mandatory service is one that module 3.4.1 names: of another, no eUICC can be called eligible.',
      wayOut: 'Remove the service, if the profile does not need it.',
      subjects: headers,
      breach: (element, checked) =>
        checked.header.unknownServices.map((number) => ({
          message: `mandatory service ${number} is not known`,
          element,
        })),
    }),
    rule({
      id: 'service-has-subject',
      clause: '8.2.1',
      text: 'A mandatory service is one that something in the package uses.',
      wayOut: 'Remove the service from eUICC-Mandatory-services, or add what uses it.',
      subjects: services,
      breach: (service, checked) => {
        const naas = NEEDS_NAA[service];
        if (naas !== undefined && !checked.adfs.some(({ naa }) => naa !== undefined && naas.includes(naa)))
          return `service ${service} is mandatory, and the package makes no ${naas.join(' or ').toUpperCase()}`;
        const pe = NEEDS_PE[service];
        return pe === undefined || checked.named(pe).length > 0
          ? undefined
          : `service ${service} is mandatory, and there is no PE ${pe}`;
      },
      element: header,
    }),
    rule({
      id: 'algorithm-service-used',
      clause: '8.2.1',
      text: 'A mandatory authentication algorithm is used by an akaParameter.',
      wayOut: 'Remove the service, or set the algorithm: `personalise` makes the services follow it.',
      subjects: (checked) =>
        services(checked).filter((service) => ALGORITHM_SERVICES.some((name) => name === service)),
      breach: (service, checked) =>
        algorithmsOf(checked).has(service) ? undefined : `no akaParameter uses service ${service}`,
      element: header,
    }),
    rule({
      id: 'algorithm-service-listed',
      clause: '8.2.1',
      level: 'warning',
      text: 'An authentication algorithm that is used is a mandatory service: else an eUICC without it counts as eligible.',
      wayOut: 'Add the service to eUICC-Mandatory-services.',
      subjects: (checked) => (headers(checked).length === 0 ? [] : [...algorithmsOf(checked)]),
      breach: (service, checked) =>
        checked.header.mandatoryServices.includes(service)
          ? undefined
          : `service ${service} is used but not mandatory`,
      element: header,
    }),
    elementRule({
      id: 'template-listed',
      clause: '8.2.1',
      level: 'warning',
      text: 'The template of a mandated PE is in eUICC-Mandatory-GFSTEList.',
      wayOut: 'Add the OID to eUICC-Mandatory-GFSTEList, or do not mandate the PE.',
      of: ({ name, mandated }, checked) => mandated && isFilePe(name) && headers(checked).length > 0,
      breach: ({ fields }, checked) => {
        const oid = templateOid(fields);
        return checked.header.mandatoryTemplates.includes(oid)
          ? undefined
          : `template ${oid} is not in eUICC-Mandatory-GFSTEList`;
      },
    }),
  ],
};
