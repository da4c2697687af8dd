import { DOCUMENT, type Rules } from '../rules.ts';

const asn1 = (section: string) => ({ document: DOCUMENT.asn1, section });

/** What a device manufacturer sends is held against these. */
export const MAKER_RULES = {
  'maker.request.der': {
    says: 'the request is one DER element FF61 with nothing behind it',
    document: DOCUMENT.x690,
    section: '10.1',
    wayOut: 'Write each length in its shortest definite form, and nothing behind the last octet of FF61.',
  },
  'maker.request.fields': {
    says: 'the fields of the request are there, in their order, with their tags and lengths',
    ...asn1('BppRequest'),
    wayOut: 'Compare with FF61 of the golden vectors field by field; smdpf inspect shows both.',
  },
  'maker.request.item': {
    says: 'the fields of each item are there, in their order, with their tags and lengths',
    ...asn1('RequestItem'),
    wayOut: 'Compare with an item of the golden vectors.',
  },
  'maker.request.item-id': {
    says: 'an itemId occurs once in the request',
    ...asn1('RequestItem, itemId'),
    wayOut: 'Number the items; the answer says by the number which one it means.',
  },
  'maker.request.eid': {
    says: 'the EID of an item is 32 digits whose check digits hold',
    document: DOCUMENT.sgp29,
    section: '3',
    wayOut: 'Write the digits with the high nibble first, as the eUICC tells them.',
  },
  'maker.request.second-profile': {
    says: 'an EID that occurs again says additional',
    ...asn1('RequestItem, additional'),
    wayOut: 'Set additional in each further item of the EID, or send the line once.',
  },
  'maker.request.iccid': {
    says: 'an ICCID is 10 octets of swapped digits whose Luhn digit holds where there are 20',
    document: DOCUMENT.itu118,
    section: '4.1',
    wayOut: 'Write the ICCID as EF.ICCID has it, or leave it out.',
  },
  'maker.report.der': {
    says: 'the report is one DER element FF63 with nothing behind it',
    document: DOCUMENT.x690,
    section: '10.1',
    wayOut: 'Write each length in its shortest definite form, and nothing behind the last octet of FF63.',
  },
  'maker.report.fields': {
    says: 'the fields of the report and of its items are there, in their order, with their tags and lengths',
    ...asn1('ProfileLoadingReport'),
    wayOut: 'Compare with FF63 of the golden vectors field by field; smdpf inspect shows both.',
  },
  'maker.report.result': {
    says: 'a euiccResult is a whole ProfileInstallationResult (BF37) as the eUICC gave it',
    ...asn1('EuiccResult'),
    wayOut:
      'Pass the octets of the eUICC on as they are, status word left off; never decode and encode them again.',
  },
  'maker.report.transaction': {
    says: 'a result and an error name a transaction of the BppBatch, once',
    ...asn1('ProfileLoadingReport'),
    wayOut: 'Report each bound item once, with the transactionId of its BPP.',
  },
  'maker.report.signature': {
    says: 'the signature of a result holds with the CERT.EUICC of the EID that its transaction is for',
    document: DOCUMENT.sgp22,
    section: '2.5.6',
    wayOut:
      'Report for each transaction the result of the eUICC that it was bound for, with no octet changed.',
  },
  'maker.report.complete': {
    says: 'each bound item of the BppBatch is in the report',
    document: DOCUMENT.sgp41,
    section: 'ESBPP',
    wayOut: 'Tell what the line never came to as notAttempted (6).',
  },
} as const satisfies Rules;

export type MakerRule = keyof typeof MAKER_RULES;
