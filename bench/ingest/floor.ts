import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';

/**
 * The floor of one entry: the calls of node:crypto that it cannot do without, on octets made before: import of the
 * eUICC's key and of its one-time key (of a hybrid one the encapsulation key too), verification of the certificate and of
 * the proof.
 *
 * - plain: each call as its documentation shows it, keys in DER and signatures as r‖s.
 * - lean: the forms that node:crypto serves fastest, which our code uses too.
 */
export function floorOfEntry(form: 'plain' | 'lean', suite: string): () => void {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const euicc = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const oneTime = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const [tbsCertificate, oneTimeKeyTbs] = [randomBytes(560), randomBytes(144)];
  const encoding = form === 'lean' ? 'der' : 'ieee-p1363';
  const signed = (message: Buffer, key: typeof issuer.privateKey) =>
    sign('sha256', message, { key, dsaEncoding: encoding });
  const certificateSignature = signed(tbsCertificate, issuer.privateKey);
  const proof = signed(oneTimeKeyTbs, euicc.privateKey);
  const input = (key: typeof issuer.publicKey) =>
    form === 'lean'
      ? key.export({ format: 'pem', type: 'spki' })
      : ({ key: key.export({ format: 'der', type: 'spki' }), format: 'der', type: 'spki' } as const);
  const kemInput = suite === 'p256-mlkem768' ? input(generateKeyPairSync('ml-kem-768').publicKey) : undefined;
  const [euiccInput, oneTimeInput] = [input(euicc.publicKey), input(oneTime.publicKey)];
  const holds = (message: Buffer, key: typeof issuer.publicKey, signature: Buffer) =>
    form === 'lean'
      ? verify('sha256', message, key, signature)
      : verify('sha256', message, { key, dsaEncoding: encoding }, signature);
  return () => {
    const euiccKey = createPublicKey(euiccInput);
    createPublicKey(oneTimeInput);
    if (kemInput !== undefined) createPublicKey(kemInput);
    if (
      !holds(tbsCertificate, issuer.publicKey, certificateSignature) ||
      !holds(oneTimeKeyTbs, euiccKey, proof)
    )
      throw new Error('the floor does not verify');
  };
}
