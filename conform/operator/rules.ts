import { DOCUMENT, type Rules } from '../rules.ts';

const signed = (step: string) => ({ document: DOCUMENT.draft, section: `Signed callbacks, ${step}` });
const operation = { document: DOCUMENT.openapi, section: 'handleProfileLoadingInfo' };

/** What an Operator's receiver of callbacks is held against. */
export const OPERATOR_RULES = {
  'operator.tls.server': {
    says: 'the receiver speaks TLS 1.2 or later, with a certificate of the CA that is given, for the host of its URL',
    document: DOCUMENT.rfc8446,
    section: '4.4.2',
    wayOut:
      'Give the order the CA of the certificate as callbackCa, and the certificate the name of the host.',
  },
  'operator.tls.client-certificate': {
    says: 'a caller without a client certificate is refused',
    ...operation,
    wayOut: 'Demand a client certificate, and trust the one that smdpf callbacks shows, or its issuer.',
  },
  'operator.taken': {
    says: 'a right callback is answered with 2xx',
    ...operation,
    wayOut: 'Take what is signed; an answer other than 2xx is repeated until it is parked.',
  },
  'operator.repeat': {
    says: 'the same callback again, octet by octet, is answered with 2xx',
    ...signed('step 5'),
    wayOut: 'Keep each jti that was taken, and answer what comes again under it with 2xx.',
  },
  'operator.late': {
    says: 'a callback that was signed a day ago is taken: its key was endorsed then',
    ...signed('step 4'),
    wayOut: 'Compare nbf and exp of the endorsement with iat of the callback, not with the clock.',
  },
  'operator.unsigned': {
    says: 'a callback without X-JWS-Signature is refused with 4xx',
    ...signed('step 1'),
    wayOut: 'Refuse what is not signed; TLS alone does not say who wrote the body.',
  },
  'operator.body': {
    says: 'a callback whose body was changed is refused with 4xx',
    ...signed('step 5'),
    wayOut: 'Verify the signature over the octets as received, before they are parsed.',
  },
  'operator.audience': {
    says: 'a callback for another URL is refused with 4xx',
    ...signed('step 2'),
    wayOut: 'Compare aud with the callbackUrl of the order, as it was given.',
  },
  'operator.type': {
    says: 'a JWS of another typ is refused with 4xx',
    ...signed('step 2'),
    wayOut: 'Take smdpf-callback+jws alone.',
  },
  'operator.algorithm': {
    says: 'a JWS with alg none is refused with 4xx',
    ...signed('step 2'),
    wayOut: 'Tell your library that ES256 is the only algorithm.',
  },
  'operator.endorsement': {
    says: 'a callback whose key no delivery key of the server endorses is refused with 4xx',
    ...signed('step 3'),
    wayOut: 'Verify endorsement with that one of deliveryKeys that its own kid names.',
  },
  'operator.expired': {
    says: 'a callback that was signed when its key was not endorsed is refused with 4xx',
    ...signed('step 4'),
    wayOut: 'Hold iat of the callback against nbf and exp of the endorsement.',
  },
  'operator.key': {
    says: 'a callback that another key than the endorsed one signed is refused with 4xx',
    ...signed('step 5'),
    wayOut: 'Verify with jwk of the endorsement, and compare its kid.',
  },
  'operator.batch.taken': {
    says: 'a right call with several notices is answered with 2xx',
    ...operation,
    wayOut:
      'Where an order has callbackBatch, each call has the list notifications: take each of them by itself.',
  },
  'operator.batch.answer': {
    says: 'the answer to a call with several notices has no body, or names those that are refused, here none',
    ...operation,
    wayOut:
      'Answer 204, or JSON whose list refused has the functionCallIdentifier of each notice to come again.',
  },
  'operator.batch.repeat': {
    says: 'the same call with several notices again is answered with 2xx',
    ...signed('step 6'),
    wayOut: 'Know each notice by the functionCallIdentifier in its own header, and take none twice.',
  },
  'operator.batch.body': {
    says: 'a call with several notices of which one was changed is refused with 4xx',
    ...signed('step 6'),
    wayOut: 'Verify the signature over the octets of the whole body, as received.',
  },
} as const satisfies Rules;

export type OperatorRule = keyof typeof OPERATOR_RULES;
