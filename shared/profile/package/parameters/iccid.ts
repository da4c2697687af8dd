import {
  completeIccid,
  decodeIccid,
  decodePackedIccid,
  encodeIccid,
  packIccid,
  saysIccid,
} from '../../../codec/iccid.ts';
import { child, made } from '../element.ts';
import { fileImage } from '../files.ts';
import { HEADER_ICCID } from '../header.ts';
import { defineParameter, refuseParameter, textInput } from '../parameter.ts';
import { fileSlot } from './file-parameter.ts';
import { type FileSite, fileSites, withStored } from './file-site.ts';

type Site = 'header' | FileSite;

/** The ICCID in the profile header (not swapped) and in EF.ICCID (swapped); the Luhn digit is completed. */
export const iccid = defineParameter<string, Site>({
  name: 'iccid',
  secret: false,
  parse: (value) => completeIccid(textInput('iccid', value)),
  likeness: (digits) => String(digits.length),
  sites(profile) {
    if (profile.elements[0]?.name !== 'header') refuseParameter('iccid', 'the template has no header');
    return ['header', ...fileSites('iccid', profile, ['mf', 'iot'], 'ef-iccid')];
  },
  target: (site) => (site === 'header' ? 'header' : site.target),
  write(draft, site, digits) {
    if (site === 'header') draft.setField(0, made(HEADER_ICCID, packIccid(digits)));
    else site.write(draft, encodeIccid(digits));
  },
  read(profile, site) {
    if (site === 'header') {
      return decodePackedIccid(child(profile.elements[0]!.fields, HEADER_ICCID)?.value ?? Buffer.alloc(0));
    }
    const view = site.stored(profile);
    return view === undefined ? '' : decodeIccid(fileImage(view));
  },
  text: (digits) => digits,
  slot: {
    find(profile, site) {
      if (site !== 'header') return fileSlot(profile, site);
      const field = child(profile.elements[0]!.fields, HEADER_ICCID);
      return field === undefined ? [] : [field.value];
    },
    octets: (site, digits) => (site === 'header' ? packIccid(digits) : encodeIccid(digits)),
    read: (site, octets) =>
      site === 'header' ? decodePackedIccid(octets) : decodeIccid(fileImage(withStored(site.view, octets))),
    says: (site, octets, digits) =>
      site === 'header'
        ? saysIccid(octets, digits, false)
        : saysIccid(fileImage(withStored(site.view, octets)), digits, true),
  },
});
