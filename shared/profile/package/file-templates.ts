import type { Bytes } from '../../codec/bytes.ts';
import { fromHex } from '../../codec/bytes.ts';
import type { FileStructure, FillPattern } from './file.ts';
import type { PeName } from './profile-element.ts';

/**
 * What the file templates of TCA eUICC Profile Package Annex A give a file that the package does not describe in
 * full. One line a file: name, file identifier, structure, and where the template fixes them: `records x length`
 * or size, and the default content. `FF…` repeats its last octet, `(FFFFFF0000)…` repeats the whole.
 * A size of `-` must come from the package. Identifiers as in 3GPP TS 31.102, TS 31.103 and ETSI TS 102 221.
 */
const MF = `
mf 3F00 DF
ef-pl 2F05 TR 2 FF…
ef-iccid 2FE2 TR 10
ef-dir 2F00 LF -
ef-arr 2F06 LF -
ef-umpc 2F08 TR 5`;

const TELECOM = `
df-telecom 7F10 DF
ef-arr 6F06 LF -
ef-sume 6F54 TR 22
ef-psismsc 6FE5 LF -
df-graphics 5F50 DF
df-phonebook 5F3A DF
df-multimedia 5F3B DF
df-mmss 5F3C DF
df-mcs 5F3D DF
df-v2x 5F3E DF`;

/** What a USIM has in PE-USIM and in PE-IoT alike. */
const USIM_KEYS = `ef-keys 6F08 TR 33 07FF…
ef-keysPS 6F09 TR 33 07FF…
ef-hpplmn 6F31 TR 1 0A`;
const USIM_NETWORK = `ef-start-hfn 6F5B TR 6 F00000F00000
ef-threshold 6F5C TR 3 FF…
ef-psloci 6F73 TR 14 FFFFFFFFFFFFFFFFFFFF0000FF01
ef-acc 6F78 TR 2
ef-fplmn 6F7B TR 12 FF…
ef-loci 6F7E TR 11 FFFFFFFFFFFFFF0000FF01
ef-ad 6FAD TR 4 00000002
ef-ecc 6FB7 LF 1x4
ef-netpar 6FC4 TR 128 FF…`;

const usim = (ust: number) => `
adf-usim - ADF
ef-imsi 6F07 TR 9
ef-arr 6F06 LF -
${USIM_KEYS}
ef-ust 6F38 TR ${ust}
ef-fdn 6F3B LF 20x26 FF…
ef-sms 6F3C LF 10x176 00FF…
ef-smsp 6F42 LF 1x38 FF…
ef-smss 6F43 TR 2 FF…
ef-spn 6F46 TR 17
ef-est 6F56 TR 1
${USIM_NETWORK}
ef-epsloci 6FE3 TR 18 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF000001
ef-epsnsc 6FE4 LF 1x80 FF…`;

const OPT_USIM = `
ef-li 6F05 TR 6 FF…
ef-acmax 6F37 TR 3 00…
ef-acm 6F39 CY 1x3 00…
ef-gid1 6F3E TR 8
ef-gid2 6F3F TR 8
ef-msisdn 6F40 LF 1x24 FF…
ef-puct 6F41 TR 5 FFFFFF0000
ef-cbmi 6F45 TR 10 FF…
ef-cbmid 6F48 TR 10 FF…
ef-sdn 6F49 LF 10x24 FF…
ef-ext2 6F4B LF 10x13 00FF…
ef-ext3 6F4C LF 10x13 00FF…
ef-cbmir 6F50 TR 20 FF…
ef-plmnwact 6F60 TR 40 (FFFFFF0000)…
ef-oplmnwact 6F61 TR 40 (FFFFFF0000)…
ef-hplmnwact 6F62 TR 5 (FFFFFF0000)…
ef-dck 6F2C TR 16 FF…
ef-cnl 6F32 TR 30 FF…
ef-smsr 6F47 LF 10x30 00FF…
ef-bdn 6F4D LF 10x25 FF…
ef-acl 6F57 TR 101 00FF…
ef-pnn 6FC5 LF 10x16
ef-opl 6FC6 LF 5x8
ef-mbdn 6FC7 LF 3x24
ef-ext6 6FC8 LF 10x13 00FF…
ef-mbi 6FC9 LF 10x5
ef-mwis 6FCA LF 10x6 00…
ef-spdi 6FCD TR 17
ef-ehplmn 6FD9 TR 15 FF…
ef-gbanl 6FDA LF -
ef-ehplmnpi 6FDB TR 1 00
ef-lrplmnsi 6FDC TR 1 00
ef-spni 6FDE TR - 00FF…
ef-ufc 6FE6 TR 30 801E60C01E900080040000000000000000F0000000004000000000000080
ef-nasconfig 6FE8 TR 18
ef-epdgid 6FF3 TR -
ef-epdgselection 6FF4 TR -
ef-frompreferred 6FF7 TR 1 00
ef-imsconfigdata 6FF8 BT -
ef-xcapconfigdata 6FFC BT -
ef-earfcnlist 6FFD TR -`;

const ISIM = `
adf-isim - ADF
ef-impi 6F02 TR -
ef-impu 6F04 LF -
ef-domain 6F03 TR -
ef-ist 6F07 TR 14
ef-ad 6FAD TR 3 00…
ef-arr 6F06 LF -`;

const OPT_ISIM = `
ef-pcscf 6F09 LF -
ef-sms 6F3C LF 10x176 00FF…
ef-smsp 6F42 LF 1x38 FF…
ef-smss 6F43 TR 2 FF…
ef-smsr 6F47 LF 10x30 00FF…
ef-gbabp 6FD5 TR - FF…
ef-gbanl 6FD7 LF - FF…
ef-nafkca 6FDD LF - FF…
ef-uicciari 6FE7 LF -`;

const GSM_ACCESS = `
df-gsm-access 5F3B DF
ef-kc 4F20 TR 9 FFFFFFFFFFFFFFFF07
ef-kcgprs 4F52 TR 9 FFFFFFFFFFFFFFFF07
ef-cpbcch 4F63 TR 10 FF…
ef-invscan 4F64 TR 1 00`;

const df5gs = (nasSecurityContext: string) => `
df-df-5gs 5FC0 DF
ef-5gs3gpploci 4F01 TR 20 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000001
ef-5gsn3gpploci 4F02 TR 20 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000001
ef-5gs3gppnsc 4F03 LF ${nasSecurityContext} FF…
ef-5gsn3gppnsc 4F04 LF ${nasSecurityContext} FF…
ef-5gauthkeys 4F05 TR 110
ef-uac-aic 4F06 TR 4
ef-suci-calc-info 4F07 TR - FF…
ef-opl5g 4F08 LF - FF…
ef-supinai 4F09 TR -
ef-routing-indicator 4F0A TR 4 F0FFFFFF
ef-ursp 4F0B BT -
ef-tn3gppsnn 4F0C TR 1 00`;

const DF_SAIP = `
df-df-saip 5FD0 DF
ef-suci-calc-info-usim 4F01 TR - FF…`;

/** The MF and the ADF of a USIM in one PE; only identifiers and structures are told here. */
const IOT = `${MF}
adf-usim - ADF
ef-imsi 6F07 TR 9
ef-arr-usim 6F06 LF -
${USIM_KEYS}
ef-ust 6F38 TR -
${USIM_NETWORK}`;

const OPT_IOT = `
ef-fdn 6F3B LF 20x26 FF…
ef-sms 6F3C LF 10x176 00FF…
ef-smsp 6F42 LF 1x38 FF…
ef-smss 6F43 TR 2 FF…
ef-spn 6F46 TR 17
ef-est 6F56 TR 1
ef-oplmnwact 6F61 TR 40 (FFFFFF0000)…
ef-hplmnwact 6F62 TR 5 (FFFFFF0000)…
ef-ehplmn 6FD9 TR 15 FF…
ef-epsloci 6FE3 TR 18 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF000001
ef-epsnsc 6FE4 LF 1x80 FF…${df5gs('2x62').replace('supinai', 'supi-nai')}${DF_SAIP}`;

const STRUCTURES: Readonly<Record<string, FileStructure>> = {
  DF: 'df',
  ADF: 'df',
  TR: 'transparent',
  LF: 'linear-fixed',
  CY: 'cyclic',
  BT: 'ber-tlv',
};

export interface FileTemplate {
  /** Four hexadecimal digits; undefined for an ADF, whose temporary identifier the package chooses. */
  readonly fileId: string | undefined;
  readonly structure: FileStructure;
  readonly size: number | undefined;
  readonly recordLength: number | undefined;
  readonly pattern: FillPattern | undefined;
}

type Templates = ReadonlyMap<string, FileTemplate>;

const ARC = '2.23.143.1.2';

/** By template OID; the second versions of a template only add files at its end, unless listed. */
const BY_OID: ReadonlyMap<string, Templates> = new Map([
  [`${ARC}.1`, parse(MF)],
  [`${ARC}.3`, parse(TELECOM)],
  [`${ARC}.4`, parse(usim(14))],
  [`${ARC}.4.2`, parse(usim(17))],
  [`${ARC}.5`, parse(OPT_USIM)],
  [`${ARC}.7`, parse(GSM_ACCESS)],
  [`${ARC}.8`, parse(ISIM)],
  [`${ARC}.9`, parse(OPT_ISIM)],
  [`${ARC}.13`, parse(df5gs('1x57'))],
  [`${ARC}.13.3`, parse(df5gs('2x62'))],
  [`${ARC}.14`, parse(DF_SAIP)],
  [`${ARC}.17`, parse(IOT)],
  [`${ARC}.18`, parse(OPT_IOT)],
]);

/** The first version of each PE's template (Annex B); a later one has its number below that. */
export const TEMPLATE_OIDS: { readonly [name in PeName]?: string } = {
  mf: `${ARC}.1`,
  cd: `${ARC}.2`,
  telecom: `${ARC}.3`,
  usim: `${ARC}.4`,
  'opt-usim': `${ARC}.5`,
  phonebook: `${ARC}.6`,
  'gsm-access': `${ARC}.7`,
  isim: `${ARC}.8`,
  'opt-isim': `${ARC}.9`,
  csim: `${ARC}.10`,
  'opt-csim': `${ARC}.11`,
  eap: `${ARC}.12`,
  'df-5gs': `${ARC}.13`,
  'df-saip': `${ARC}.14`,
  'df-snpn': `${ARC}.15`,
  'df-5gprose': `${ARC}.16`,
  iot: `${ARC}.17`,
  'opt-iot': `${ARC}.18`,
  ssim: `${ARC}.19`,
};
/** The last version of a template in module 3.3.1, where it has several. */
export const TEMPLATE_VERSIONS: { readonly [name in PeName]?: number } = {
  telecom: 2,
  usim: 2,
  'opt-usim': 3,
  'opt-isim': 2,
  csim: 2,
  'opt-csim': 2,
  'df-5gs': 4,
};

/** The template's word on a file; undefined for files and templates that are not listed here. */
export function fileTemplate(templateOid: string, file: string): FileTemplate | undefined {
  const templates = BY_OID.get(templateOid) ?? BY_OID.get(templateOid.split('.').slice(0, 6).join('.'));
  return templates?.get(file);
}

function parse(table: string): Templates {
  return new Map(table.trim().split('\n').map(parseLine));
}

function parseLine(line: string): [string, FileTemplate] {
  const [name, fileId, structure, extent = '-', content] = line.split(' ') as [
    string,
    string,
    string,
    ...string[],
  ];
  const [, records, length] = /^(?:(\d+)x)?(\d+)$/.exec(extent) ?? [];
  return [
    name,
    {
      fileId: fileId === '-' ? undefined : fileId,
      structure: STRUCTURES[structure]!,
      size: length === undefined ? undefined : Number(records ?? 1) * Number(length),
      recordLength: records === undefined ? undefined : Number(length),
      pattern: content === undefined ? undefined : parsePattern(content),
    },
  ];
}

function parsePattern(text: string): FillPattern {
  const octets: Bytes = fromHex(text.replace(/[()\u2026]/g, ''));
  return { kind: text.startsWith('(') ? 'repeat' : 'fill', octets };
}
