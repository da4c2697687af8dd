import { decodeAkaParameter } from '../aka-parameter.ts';
import { isFilePe } from '../file-pes.ts';
import { templateOid } from '../files.ts';
import { headerOf } from '../header.ts';
import type { PeName, ProfilePackage } from '../profile-element.ts';
import type { ServiceName } from '../services.ts';
import { about, type Finding } from './finding.ts';

/** A mandatory service that makes sense only beside one of these PEs. */
const NEEDS_PE: { readonly [service in ServiceName]?: readonly PeName[] } = {
  usim: ['usim', 'iot'],
  isim: ['isim'],
  csim: ['csim'],
  cave: ['cdmaParameter'],
  'gba-usim': ['usim'],
  'gba-isim': ['isim'],
  mbms: ['usim'],
  eap: ['eap'],
  'multiple-usim': ['usim'],
  'multiple-isim': ['isim'],
  'multiple-csim': ['csim'],
  'get-identity': ['usim', 'isim', 'iot'],
  'profile-a-x25519': ['usim', 'isim', 'iot'],
  'profile-b-p256': ['usim', 'isim', 'iot'],
};

const ALGORITHM_SERVICES = ['milenage', 'tuak128', 'tuak256', 'usim-test-algorithm'] as const;

/** eUICC-Mandatory-services and eUICC-Mandatory-GFSTEList against the PEs and algorithms that are there. */
export function checkServices(profile: ProfilePackage): readonly Finding[] {
  const header = headerOf(profile);
  const [headerElement] = profile.elements;
  const present = new Set(profile.elements.map(({ name }) => name));
  const findings: Finding[] = [];
  for (const number of header.unknownServices) {
    findings.push(
      about(headerElement!, 'error', 'serviceUnknown', `mandatory service ${number} is not known`),
    );
  }
  for (const service of header.mandatoryServices) {
    const needed = NEEDS_PE[service];
    if (needed !== undefined && !needed.some((name) => present.has(name))) {
      findings.push(
        about(
          headerElement!,
          'error',
          'serviceWithoutPe',
          `service ${service} has no PE ${needed.join(' or ')}`,
        ),
      );
    }
  }
  const algorithms = new Set(profile.elements.flatMap(({ name, fields }) => algorithmService(name, fields)));
  for (const service of ALGORITHM_SERVICES) {
    const listed = header.mandatoryServices.includes(service);
    if (listed && !algorithms.has(service)) {
      findings.push(
        about(headerElement!, 'error', 'serviceWithoutAlgorithm', `no akaParameter uses service ${service}`),
      );
    } else if (!listed && algorithms.has(service)) {
      findings.push(
        about(headerElement!, 'warning', 'serviceNotListed', `service ${service} is used but not mandatory`),
      );
    }
  }
  for (const element of profile.elements) {
    if (!isFilePe(element.name) || !element.mandated) continue;
    const oid = templateOid(element.fields);
    if (!header.mandatoryTemplates.includes(oid)) {
      findings.push(
        about(element, 'warning', 'templateNotListed', `template ${oid} is not in eUICC-Mandatory-GFSTEList`),
      );
    }
  }
  return findings;
}

function algorithmService(
  name: PeName,
  fields: Parameters<typeof decodeAkaParameter>[0],
): readonly (typeof ALGORITHM_SERVICES)[number][] {
  const aka = name === 'akaParameter' ? decodeAkaParameter(fields) : undefined;
  if (aka === undefined) return [];
  if (aka.algorithm !== 'tuak') return [aka.algorithm];
  return [aka.key.length === 32 ? 'tuak256' : 'tuak128'];
}
