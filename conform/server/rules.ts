import { DOCUMENT, type Rules } from '../rules.ts';

const openapi = (section: string) => ({ document: DOCUMENT.openapi, section });
const asn1 = (section: string) => ({ document: DOCUMENT.asn1, section });
const draft = (section: string) => ({ document: DOCUMENT.draft, section });
const sgp22 = (section: string) => ({ document: DOCUMENT.sgp22, section });
const REPEATS =
  'Keep what was answered under (party, identifier, hash of the body), and answer the same call with the same.';
const CHANGED = 'Compare the hash of the body with the first one, and refuse another with 1.6/3.11.';

/** What an SM-DPf is held against, by calls alone. */
export const SERVER_RULES = {
  'server.tls.client-certificate': {
    says: 'a call without a client certificate is not executed',
    ...draft('For implementers, Client certificates'),
    wayOut: 'Demand a client certificate on the interfaces of parties, and refuse a call that shows none.',
  },
  'server.call.requester': {
    says: 'a functionRequesterIdentifier that is not the one of the certificate is refused',
    ...openapi('RequestHeader'),
    wayOut: 'Decide who calls by the certificate, and refuse another identifier in the header.',
  },
  'server.call.role': {
    says: 'a function of another role is refused with 1.1/1.2',
    ...openapi('x-role'),
    wayOut: 'Hold the role of the caller against x-role of the operation.',
  },
  'server.call.protocol': {
    says: 'X-Admin-Protocol of another version is refused with 1.3.2/3.1',
    ...openapi('X-Admin-Protocol'),
    wayOut: 'Refuse a version that is not yours, before anything is done.',
  },
  'server.call.answer-protocol': {
    says: 'each answer has X-Admin-Protocol: ifpp-draft/v1.0.0',
    ...openapi('X-Admin-Protocol'),
    wayOut: 'Set the header on every answer, refusals included.',
  },
  'server.call.malformed': {
    says: 'a body that is no JSON object is refused with 1.3.1/2.1, and no 5xx',
    ...openapi('responses'),
    wayOut: 'Answer with functionExecutionStatus Failed; nothing that a caller sends is a 5xx.',
  },
  'server.call.function': {
    says: 'a function that does not exist is refused with HTTP 404',
    ...openapi('paths'),
    wayOut: 'Answer 404, with the status Failed where the body is JSON.',
  },
  'server.order.prepared': {
    says: 'prepareProfiles prepares as many profiles as were ordered, each with an ICCID of its own',
    ...openapi('es2f.prepareProfiles'),
    wayOut:
      'Number the profiles from iccidStart, with a Luhn digit behind it, and tell all of them in getOrderStatus.',
  },
  'server.order.repeat': {
    says: 'the same prepareProfiles again is answered as before and makes no second order',
    ...openapi('es2f.prepareProfiles'),
    wayOut: REPEATS,
  },
  'server.order.changed': {
    says: 'an orderId with another content is refused with 1.6/3.11',
    ...openapi('es2f.prepareProfiles'),
    wayOut: CHANGED,
  },
  'server.order.unknown': {
    says: 'an order that does not exist is refused with 8.8.5/3.9',
    ...openapi('es2f.getOrderStatus'),
    wayOut: 'Answer 8.8.5/3.9, also for an order of somebody else.',
  },
  'server.order.output': {
    says: 'the output rows are encrypted to the output key of the order, one for each profile',
    ...draft('For implementers, Output rows'),
    wayOut: 'Write a compact JWE for outputKey, RSA-OAEP-256 or ECDH-ES+A256KW with A256GCM, of JSON lines.',
  },
  'server.register.accepted': {
    says: 'every entry of a right batch is accepted',
    ...openapi('esed1.registerEuiccData'),
    wayOut:
      'Compare with the golden vectors what is hashed and verified for a proof; smdpf conform eum finds nothing wrong in this batch.',
  },
  'server.register.repeat': {
    says: 'the same batch again is answered as before',
    ...openapi('esed1.registerEuiccData'),
    wayOut: REPEATS,
  },
  'server.register.changed': {
    says: 'a batchId with another content is refused with 1.6/3.11',
    ...openapi('esed1.registerEuiccData'),
    wayOut: CHANGED,
  },
  'server.register.proof': {
    says: 'an entry with a wrong proof is refused with 8.1/6.1, alone',
    ...asn1('OneTimeKeyTbs'),
    wayOut: 'Verify each proof over FF64 with the key of CERT.EUICC; one bad entry does not stop the batch.',
  },
  'server.register.reused-key': {
    says: 'a one-time key that another eUICC has is refused with 8.1/3.3',
    document: DOCUMENT.sgp41,
    section: 'GENS07',
    wayOut: 'Know every one-time key by its octets for ever, whoever brings it.',
  },
  'server.request.batch': {
    says: 'the answer has a BppBatch (FF62) of this request, with one item for each of the request, in its order',
    ...asn1('BppBatch'),
    wayOut: 'Repeat the requestId, and for each item its itemId and EID, whether it was bound or not.',
  },
  'server.request.bound': {
    says: 'every item that can be bound is bound',
    ...openapi('esbpp.requestBpp'),
    wayOut: 'An item that is refused leaves the others as they are.',
  },
  'server.request.unknown-eid': {
    says: 'an EID that nobody registered is refused with 8.1.1/3.9, alone',
    ...openapi('esbpp.requestBpp'),
    wayOut: 'Answer the item with failed; the others are bound.',
  },
  'server.request.key': {
    says: "the keyId of a bound item is one of its eUICC's, and each is used once",
    ...asn1('Bound, keyId'),
    wayOut: 'Take one free key for each BPP, and never again.',
  },
  'server.request.iccid': {
    says: 'the ICCID of a bound item is one of the order, and each is bound once',
    ...asn1('Bound, iccid'),
    wayOut: 'Take one profile of the order for each BPP, and never again.',
  },
  'server.request.transaction': {
    says: 'each transactionId occurs once, and is the one inside the BPP',
    ...sgp22('2.5.2'),
    wayOut: 'Write the transactionId of BF23 into the item too.',
  },
  'server.request.chain': {
    says: 'the chain of each bound item leads from CERT.DPpb to the CI of its eUICC',
    ...sgp22('4.5.2.2'),
    wayOut: 'Put CERT.DPpb first, what is above it behind, and leave out the root.',
  },
  'server.request.repeat': {
    says: 'the same request again is answered with the same BppBatch, octet by octet',
    ...openapi('esbpp.requestBpp'),
    wayOut: REPEATS,
  },
  'server.request.changed': {
    says: 'a requestId with another content is refused with 1.6/3.11',
    ...openapi('esbpp.requestBpp'),
    wayOut: CHANGED,
  },
  'server.request.second-profile': {
    says: 'an EID gets no second profile of an order unless additional is set',
    ...draft('What is ours: one order gives an EID one profile'),
    wayOut: 'Refuse the item, or give the same profile; spend no second one by accident.',
  },
  'server.request.unknown-order': {
    says: 'a request for an order that does not exist is refused with 8.8.5/3.9',
    ...openapi('esbpp.requestBpp'),
    wayOut: 'Answer 8.8.5/3.9, also for an order of which the caller is no device manufacturer.',
  },
  'server.pages.root': {
    says: 'an answer that is too large for one manifest has a root (FF67) of this request, signed by a delivery key',
    ...asn1('ManifestRoot'),
    wayOut: 'Sign fields 0 to 6 as they are sent, with a key that getServerKeys tells.',
  },
  'server.pages.proof': {
    says: 'each page (FF68), asked for by its number, is proved to be at that place under the signed root',
    ...draft('For implementers, Pages'),
    wayOut:
      'Hash a leaf over fields 0 to 4 as they are sent, count pages from 0 and firstPart over all of them, and prove each page under the root that is out.',
  },
  'server.pages.parts': {
    says: 'the pages name all parts that the root counts, whose items are those of the request, in its order',
    ...asn1('ManifestPage'),
    wayOut:
      'Name each part by its size and SHA-256, in the order of the request, and keep it for as long as its page.',
  },
  'server.pages.repeat': {
    says: 'a page that is asked for again is answered with the same octets, and so is the root',
    ...openapi('esbpp.getBppBatch'),
    wayOut: 'Keep the pages of a root as long as the root is the answer.',
  },
  'server.pages.beyond': {
    says: 'a page behind the last one is refused with 1.6/3.9',
    ...openapi('esbpp.getBppBatch'),
    wayOut: 'Pages are numbered from 0; refuse what is not below `pages`.',
  },
  'server.keys.closed': {
    says: 'nothing is bound to a key that was closed',
    ...openapi('esed1.closeKeys'),
    wayOut: 'Mark closed keys in the same store that binding takes them from.',
  },
  'server.bpp.installs': {
    says: 'each BPP installs in a strict eUICC',
    ...sgp22('5.5, 2.5'),
    wayOut:
      'smdpf sim euicc load with the card and this batch tells where the eUICC stops; docs/glossary.md names the parts.',
  },
  'server.bpp.profile': {
    says: 'what is installed is the profile of the item, with its ICCID',
    ...asn1('Bound, iccid'),
    wayOut: 'Bind the profile whose ICCID the item names.',
  },
  'server.report.verified': {
    says: 'each result that its eUICC signed is taken as verified',
    ...openapi('esbpp.sendProfileLoadingReport'),
    wayOut:
      'Verify BF37 over the octets received, with the key of the CERT.EUICC that the transaction was bound for.',
  },
  'server.report.forged': {
    says: 'a result whose signature does not hold is refused with 8.1/6.1, alone',
    ...openapi('esbpp.sendProfileLoadingReport'),
    wayOut: 'Verify the signature before anything that the result says is believed.',
  },
  'server.report.repeat': {
    says: 'the same report again is answered as before',
    ...openapi('esbpp.sendProfileLoadingReport'),
    wayOut: REPEATS,
  },
  'server.report.state': {
    says: 'getOrderStatus tells Installed for what was reported as installed, with its EID',
    ...openapi('es2f.getOrderStatus'),
    wayOut: 'Change the state of the profile with the result that was verified.',
  },
  'server.delivery-keys': {
    says: 'getServerKeys tells deliveryKeys as public JWKs on P-256, each with a kid of its own',
    ...openapi('esbpp.getServerKeys'),
    wayOut: 'Tell the keys that manifests are verified with; never a private member.',
  },
  'server.order.closed': {
    says: 'nothing is bound to an order that was closed',
    ...openapi('es2f.closeOrder'),
    wayOut: 'Refuse the request, or its items, with 8.8.5/4.10.',
  },
} as const satisfies Rules;

export type ServerRule = keyof typeof SERVER_RULES;
