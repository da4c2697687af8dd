import { expect, it } from 'vitest';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { RevocationLists, TrustStore, verifyEumChain } from '../../shared/pki/chain.ts';
import { decodeCrl } from '../../shared/pki/crl.ts';
import { count } from '../support/counts.ts';
import vectors from '../vectors/chains-by-another-tool.json' with { type: 'json' };
import { verdict } from './verdict.ts';

const octets = (base64: string) => Buffer.from(base64, 'base64');
const atMs = Date.parse(vectors.at);

it.each(vectors.vectors)(
  'a chain made by another tool, $name: $expect',
  ({ expect: expected, ci, eumChain, euicc, eid, crls }) => {
    count('vectors', 1);
    const verify = () => {
      const root = decodeCertificate(octets(ci));
      const chain = eumChain.map(octets);
      const lists = new RevocationLists();
      for (const der of crls) {
        const list = decodeCrl(octets(der));
        const issuer = [root, ...chain.map((one) => decodeCertificate(one))].find((candidate) =>
          Buffer.from(list.authorityKeyIdentifier).equals(candidate.extensions.subjectKeyIdentifier!),
        );
        lists.add(list, issuer!, atMs);
      }
      verifyEumChain({
        eumChain: chain,
        ciPkId: root.extensions.subjectKeyIdentifier!,
        trust: new TrustStore({ forSigning: [octets(ci)], forVerification: [] }),
        crls: lists,
        atMs,
      }).verifyEuicc(octets(euicc), eid);
    };
    expect(verdict(verify)).toBe(expected);
  },
);

it('every chain made by another tool runs', () => {
  expect(vectors.vectors).toHaveLength(27);
});
