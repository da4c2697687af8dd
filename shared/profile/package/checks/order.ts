import { tagName } from '../../../codec/tlv.ts';
import type { PeName, ProfilePackage } from '../profile-element.ts';
import { about, type Finding } from './finding.ts';

/** PEs that extend an NAA: one of these must have come before, with no other NAA in between. */
const FOLLOWS: { readonly [name in PeName]?: readonly PeName[] } = {
  'opt-usim': ['usim'],
  phonebook: ['usim'],
  'gsm-access': ['usim'],
  'df-5gs': ['usim'],
  'df-saip': ['usim'],
  'df-snpn': ['usim'],
  'df-5gprose': ['usim'],
  'opt-isim': ['isim'],
  'opt-csim': ['csim'],
  'opt-iot': ['iot'],
  akaParameter: ['usim', 'isim', 'iot'],
  cdmaParameter: ['csim'],
};
const NAAS: readonly PeName[] = ['usim', 'isim', 'csim', 'iot'];
const DIRECTORIES: readonly PeName[] = ['mf', 'iot', 'cd', 'telecom', 'usim', 'isim', 'csim', 'eap'];
const ONCE: readonly PeName[] = ['header', 'mf', 'iot', 'end', 'cd', 'telecom'];
const USUAL: readonly PeName[] = ['pukCodes', 'pinCodes', 'securityDomain'];

/** Order, number and presence of PEs (TCA eUICC Profile Package 3.3.1 sections 3 and 8.1). */
export function checkOrder({ elements }: ProfilePackage): readonly Finding[] {
  const findings: Finding[] = [];
  const [header, second] = elements;
  const last = elements.at(-1)!;
  if (header!.name !== 'header') {
    findings.push(about(header!, 'error', 'peOrder', 'the header is not the first PE'));
  }
  if (last.name !== 'end') findings.push(about(last, 'error', 'peOrder', 'the last PE is not end'));
  if (second !== undefined && second.name !== 'mf' && second.name !== 'iot') {
    findings.push(about(second, 'error', 'peOrder', 'the second PE is not mf'));
  }
  const count = new Map<PeName, number>();
  const identifications = new Set<number>();
  let naa: PeName | undefined;
  let directory = false;
  for (const element of elements) {
    const { name, identification } = element;
    const seen = (count.get(name) ?? 0) + 1;
    count.set(name, seen);
    if (seen > 1 && ONCE.includes(name)) {
      findings.push(about(element, 'error', 'peDuplicate', `the PE ${name} occurs more than once`));
    }
    if (name === 'unknown' || name.startsWith('rfu')) {
      const message = `no published version names a PE with the tag ${tagName(element.tag)}`;
      findings.push(about(element, 'warning', 'peUnknown', message));
    }
    if (identification !== undefined) {
      if (identifications.has(identification)) {
        findings.push(
          about(
            element,
            'error',
            'identificationDuplicate',
            `identification ${identification} is not unique`,
          ),
        );
      }
      identifications.add(identification);
    }
    const needed = FOLLOWS[name];
    if (needed !== undefined && (naa === undefined || !needed.includes(naa))) {
      findings.push(
        about(element, 'error', 'peOrder', `the PE ${name} does not follow ${needed.join(' or ')}`),
      );
    }
    if ((name === 'pinCodes' || name === 'pukCodes') && !directory) {
      findings.push(about(element, 'error', 'peOrder', `the PE ${name} does not follow the MF or an ADF`));
    }
    if (NAAS.includes(name)) naa = name;
    if (DIRECTORIES.includes(name)) directory = true;
  }
  const has = (name: PeName) => count.has(name);
  const missing = (name: PeName, severity: Finding['severity']): Finding => ({
    severity,
    code: 'peMissing',
    message: `the package has no PE ${name}`,
  });
  if (!has('mf') && !has('iot')) findings.push(missing('mf', 'error'));
  for (const name of ['header', 'end'] as const) if (!has(name)) findings.push(missing(name, 'error'));
  for (const name of USUAL) if (!has(name)) findings.push(missing(name, 'warning'));
  if ((has('usim') || has('isim')) && !has('akaParameter')) findings.push(missing('akaParameter', 'error'));
  return findings;
}
