import { Refusal } from '../../../errors.ts';
import { mncLengthOfAd } from '../ef/mnc-length.ts';
import { fileImage } from '../files.ts';
import { defineParameter, type ParameterValue, refuseParameter, textInput } from '../parameter.ts';
import { type FileSite, fileSites } from './file-site.ts';

export function mncLengthInput(value: ParameterValue): 2 | 3 {
  const text = textInput('mncLength', value);
  if (text === '2') return 2;
  return text === '3' ? 3 : refuseParameter('mncLength', 'must be 2 or 3');
}

/** Octets of EF.AD up to the length of the MNC (3GPP TS 31.102 section 4.2.18). */
const AD_LENGTH = 4;

/**
 * Whether the MNC has two or three digits: octet 4 of the USIM's EF.AD, where the package has that file, and what
 * derived identities go by.
 */
export const mncLength = defineParameter<2 | 3, FileSite>({
  name: 'mncLength',
  secret: false,
  parse: mncLengthInput,
  sites(profile) {
    try {
      return fileSites('mncLength', profile, ['usim', 'iot'], 'ef-ad');
    } catch (error) {
      if (error instanceof Refusal) return [];
      throw error;
    }
  },
  target: ({ target }) => target,
  write(draft, site, length) {
    const image = fileImage(site.current(draft));
    const content = Buffer.concat([image, Buffer.alloc(Math.max(0, AD_LENGTH - image.length))]);
    content[AD_LENGTH - 1] = length;
    site.write(draft, content);
  },
  read(profile, site) {
    const view = site.stored(profile);
    return view === undefined ? '' : String(mncLengthOfAd(fileImage(view)) ?? '');
  },
  text: String,
});
