import { contextTag } from './element.ts';
import type { PeName } from './profile-element.ts';

/**
 * The PEs that create files from a template of TCA eUICC Profile Package 3.4.1 Annex A: the names of their
 * components in order. Component 0 is the PEHeader and component 1 the templateID; files start at 2.
 */
const PHONEBOOK = `df-phonebook ef-pbr ef-ext1 ef-aas ef-gas ef-psc ef-cc ef-puid ef-iap ef-adn ef-pbc ef-anr
  ef-puri ef-email ef-sne ef-uid ef-grp ef-ccp1`;

const FILES: { readonly [name in PeName]?: string } = {
  mf: 'mf ef-pl ef-iccid ef-dir ef-arr ef-umpc',
  cd: 'df-cd ef-launchpad ef-icon',
  telecom: `df-telecom ef-arr ef-rma ef-sume ef-ice-dn ef-ice-ff ef-psismsc df-graphics ef-img ef-iidf
    ef-ice-graphics ef-launch-scws ef-icon ${PHONEBOOK} df-multimedia ef-mml ef-mmdf df-mmss ef-mlpl ef-mspl
    ef-mmssmode df-mcs ef-mst ef-mcs-config df-v2x ef-vst ef-v2x-config ef-v2xp-pc5 ef-v2xp-Uu`,
  usim: `adf-usim ef-imsi ef-arr ef-keys ef-keysPS ef-hpplmn ef-ust ef-fdn ef-sms ef-smsp ef-smss ef-spn ef-est
    ef-start-hfn ef-threshold ef-psloci ef-acc ef-fplmn ef-loci ef-ad ef-ecc ef-netpar ef-epsloci ef-epsnsc`,
  'opt-usim': `ef-li ef-acmax ef-acm ef-gid1 ef-gid2 ef-msisdn ef-puct ef-cbmi ef-cbmid ef-sdn ef-ext2 ef-ext3
    ef-cbmir ef-plmnwact ef-oplmnwact ef-hplmnwact ef-dck ef-cnl ef-smsr ef-bdn ef-ext5 ef-ccp2 ef-ext4 ef-acl
    ef-cmi ef-ici ef-oci ef-ict ef-oct ef-vgcs ef-vgcss ef-vbs ef-vbss ef-emlpp ef-aaem ef-hiddenkey ef-pnn
    ef-opl ef-mbdn ef-ext6 ef-mbi ef-mwis ef-cfis ef-ext7 ef-spdi ef-mmsn ef-ext8 ef-mmsicp ef-mmsup ef-mmsucp
    ef-nia ef-vgcsca ef-vbsca ef-gbabp ef-msk ef-muk ef-ehplmn ef-gbanl ef-ehplmnpi ef-lrplmnsi ef-nafkca
    ef-spni ef-pnni ef-ncp-ip ef-ufc ef-nasconfig ef-uicciari ef-pws ef-fdnuri ef-bdnuri ef-sdnuri ef-ial ef-ips
    ef-ipd ef-epdgid ef-epdgselection ef-epdgidem ef-epdgselectionem ef-frompreferred ef-imsconfigdata
    ef-3gpppsdataoff ef-3gpppsdataoffservicelist ef-xcapconfigdata ef-earfcnlist ef-mudmidconfigdata ef-eaka`,
  isim: 'adf-isim ef-impi ef-impu ef-domain ef-ist ef-ad ef-arr',
  'opt-isim': `ef-pcscf ef-sms ef-smsp ef-smss ef-smsr ef-gbabp ef-gbanl ef-nafkca ef-uicciari ef-frompreferred
    ef-imsconfigdata ef-xcapconfigdata ef-webrtcuri ef-mudmidconfigdata`,
  phonebook: PHONEBOOK,
  'gsm-access': 'df-gsm-access ef-kc ef-kcgprs ef-cpbcch ef-invscan',
  csim: `adf-csim ef-arr ef-call-count ef-imsi-m ef-imsi-t ef-tmsi ef-ah ef-aop ef-aloc ef-cdmahome ef-znregi
    ef-snregi ef-distregi ef-accolc ef-term ef-acp ef-prl ef-ruimid ef-csim-st ef-spc ef-otapaspc ef-namlock
    ef-ota ef-sp ef-esn-meid-me ef-li ef-usgind ef-ad ef-max-prl ef-spcs ef-mecrp ef-home-tag ef-group-tag
    ef-specific-tag ef-call-prompt`,
  'opt-csim': `ef-ssci ef-fdn ef-sms ef-smsp ef-smss ef-ssfc ef-spn ef-mdn ef-ecc ef-me3gpdopc ef-3gpdopm
    ef-sipcap ef-mipcap ef-sipupp ef-mipupp ef-sipsp ef-mipsp ef-sippapss ef-puzl ef-maxpuzl ef-hrpdcap
    ef-hrpdupp ef-csspr ef-atc ef-eprl ef-bcsmscfg ef-bcsmspref ef-bcsmstable ef-bcsmsp ef-bakpara ef-upbakpara
    ef-mmsn ef-ext8 ef-mmsicp ef-mmsup ef-mmsucp ef-auth-capability ef-3gcik ef-dck ef-gid1 ef-gid2 ef-cdmacnl
    ef-sf-euimid ef-est ef-hidden-key ef-lcsver ef-lcscp ef-sdn ef-ext2 ef-ext3 ef-ici ef-oci ef-ext5 ef-ccp2
    ef-applabels ef-model ef-rc ef-smscap ef-mipflags ef-3gpduppext ef-ipv6cap ef-tcpconfig ef-dgc
    ef-wapbrowsercp ef-wapbrowserbm ef-mmsconfig ef-jdl`,
  eap: 'df-eap ef-eapkeys ef-eapstatus ef-puid ef-ps ef-curid ef-reid ef-realm',
  'df-5gs': `df-df-5gs ef-5gs3gpploci ef-5gsn3gpploci ef-5gs3gppnsc ef-5gsn3gppnsc ef-5gauthkeys ef-uac-aic
    ef-suci-calc-info ef-opl5g ef-supinai ef-routing-indicator ef-ursp ef-tn3gppsnn ef-cag ef-sor-cmci ef-dri
    ef-5gsedrx ef-5gnswo-conf ef-mchpplmn ef-kausf-derivation`,
  'df-saip': 'df-df-saip ef-suci-calc-info-usim',
  'df-snpn': 'df-df-snpn ef-pws-snpn',
  'df-5gprose': `df-df-5g-prose ef-5g-prose-st ef-5g-prose-dd ef-5g-prose-dc ef-5g-prose-u2nru ef-5g-prose-ru
    ef-5g-prose-uir`,
  iot: `mf ef-pl ef-iccid ef-dir ef-arr ef-umpc adf-usim ef-imsi ef-arr-usim ef-keys ef-keysPS ef-hpplmn ef-ust
    ef-start-hfn ef-threshold ef-psloci ef-acc ef-fplmn ef-loci ef-ad ef-ecc ef-netpar`,
  'opt-iot': `ef-fdn ef-sms ef-smsp ef-smss ef-spn ef-est ef-oplmnwact ef-hplmnwact ef-ehplmn ef-epsloci
    ef-epsnsc df-df-5gs ef-5gs3gpploci ef-5gsn3gpploci ef-5gs3gppnsc ef-5gsn3gppnsc ef-5gauthkeys ef-uac-aic
    ef-suci-calc-info ef-opl5g ef-supi-nai ef-routing-indicator ef-ursp ef-tn3gppsnn df-df-saip
    ef-suci-calc-info-usim`,
  ssim: 'adf-ssim ef-arr ef-eapId ef-nssai ef-eapStatus',
};

export const TEMPLATE_ID = 0x81;
/** Place of the first file among the components. */
export const FIRST_FILE = 2;

const FILE_NAMES: ReadonlyMap<PeName, readonly string[]> = new Map(
  Object.entries(FILES).map(([name, list]) => [name as PeName, list.split(/\s+/)]),
);

const FILE_TAGS: ReadonlyMap<PeName, ReadonlyMap<string, number>> = new Map(
  [...FILE_NAMES].map(([pe, names]) => [
    pe,
    // the first of two files of one name
    new Map(names.map((name, index) => [name, contextTag(index + FIRST_FILE, true)] as const).reverse()),
  ]),
);

export function isFilePe(name: PeName): boolean {
  return FILE_NAMES.has(name);
}

/** Names of the files that this PE may describe, in order. */
export function fileNames(pe: PeName): readonly string[] {
  return FILE_NAMES.get(pe) ?? [];
}

/** Name of the file that a component of this PE describes, such as `ef-imsi`. */
export function fileName(pe: PeName, tag: number): string | undefined {
  const index = tag <= 0xff ? tag & 0x1f : tag & 0x7f;
  return FILE_NAMES.get(pe)?.[index - FIRST_FILE];
}

/** Tag of the file's component in this PE, or undefined when the PE has no such file. */
export function fileTag(pe: PeName, file: string): number | undefined {
  return FILE_TAGS.get(pe)?.get(file);
}
