import type { PeName } from './profile-element.ts';

/** Network access applications, by the PE that makes each; `other` is an ADF with an AID that names none of them. */
export type Naa = 'usim' | 'isim' | 'csim' | 'ssim' | 'other';

/** RID of 3GPP or 3GPP2 and application code (ETSI TS 101 220 Annexes D, E and N). */
const AIDS: readonly (readonly [string, Naa])[] = [
  ['A0000000871002', 'usim'],
  ['A0000000871004', 'isim'],
  ['A0000003431002', 'csim'],
];

/** The NAA that the AID of an ADF names, in hexadecimal. */
export function naaOfAid(aid: string | undefined): Naa {
  return AIDS.find(([prefix]) => aid?.toUpperCase().startsWith(prefix))?.[1] ?? 'other';
}

/** PEs that create the ADF of an NAA. */
export const NAA_PES: { readonly [name in PeName]?: Naa } = {
  usim: 'usim',
  isim: 'isim',
  csim: 'csim',
  ssim: 'ssim',
  iot: 'usim',
};

/** PEs that put files into the ADF that came before them: the NAA that must have come (section 8.1.3). */
export const NAA_EXTENSIONS: { readonly [name in PeName]?: Naa } = {
  'opt-usim': 'usim',
  phonebook: 'usim',
  'gsm-access': 'usim',
  'df-5gs': 'usim',
  'df-saip': 'usim',
  'df-snpn': 'usim',
  'df-5gprose': 'usim',
  'opt-isim': 'isim',
  'opt-csim': 'csim',
  'opt-iot': 'usim',
};
