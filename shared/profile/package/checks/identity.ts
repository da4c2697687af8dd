import { equal } from '../../../codec/bytes.ts';
import { decodeIccid, luhnHolds } from '../../../codec/iccid.ts';
import { Refusal } from '../../../errors.ts';
import { accessControlClass, decodeImsi } from '../ef/imsi.ts';
import { fileImage, findFile } from '../files.ts';
import { headerOf } from '../header.ts';
import type { PeName, ProfilePackage } from '../profile-element.ts';
import { about, type Finding } from './finding.ts';

/** ICCID in header and EF, IMSI and access control class. */
export function checkIdentity(profile: ProfilePackage): readonly Finding[] {
  const { iccid } = headerOf(profile);
  const findings: Finding[] = [];
  if (!luhnHolds(iccid)) {
    findings.push(
      about(profile.elements[0]!, 'warning', 'iccidLuhn', 'the Luhn digit of the ICCID is wrong'),
    );
  }
  for (const element of profile.elements) {
    const { name, fields } = element;
    const image = (pe: PeName, file: string) => {
      const view = name === pe ? findFile(pe, fields, file) : undefined;
      return view === undefined ? undefined : fileImage(view);
    };
    const efIccid = image('mf', 'ef-iccid') ?? image('iot', 'ef-iccid');
    if (efIccid !== undefined && attempt(() => decodeIccid(efIccid)) !== iccid) {
      findings.push(
        about(element, 'error', 'iccidMismatch', 'EF.ICCID differs from the ICCID in the header'),
      );
    }
    const efImsi = image('usim', 'ef-imsi') ?? image('iot', 'ef-imsi');
    if (efImsi === undefined) continue;
    const imsi = attempt(() => decodeImsi(efImsi));
    const acc = image('usim', 'ef-acc') ?? image('iot', 'ef-acc');
    if (imsi === undefined) {
      findings.push(about(element, 'error', 'imsiInvalid', 'EF.IMSI does not hold an IMSI'));
    } else if (acc !== undefined && imsi !== '' && !equal(acc.subarray(0, 2), accessControlClass(imsi))) {
      findings.push(
        about(element, 'warning', 'accMismatch', 'EF.ACC is not the class of the last IMSI digit'),
      );
    }
  }
  return findings;
}

/** The value, or undefined where the octets cannot be read. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
