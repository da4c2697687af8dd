import { list, object, optional } from '../../check.ts';
import { base64, transferId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';
import { inlineOrTransferred } from '../../transferred.ts';

/** CI SubCA, EUM and EUM SubCA. */
const MAX_CHAIN = 3;

const body = object({
  crl: optional(base64),
  transferId: optional(transferId),
  issuerChain: optional(list(base64, { min: 1, max: MAX_CHAIN })),
});

/** Admin.addCrl: a certificate revocation list (RFC 5280 section 5) of a CI, an EUM or a sub-CA. */
export const addCrl = partyFunction({
  path: 'admin.addCrl',
  role: 'administrator',
  reaches: ['transfer'],
  transfers: ['crl'],
  needs: { vault: 'write' },
  wholeCore: true,
  body,
  fromDer: (crl) => ({ crl }),
  async call(services, caller, { issuerChain = [], ...input }) {
    const crl = await inlineOrTransferred(services, caller, 'crl', input.crl, input.transferId);
    const taken = await services.administration.addCrl(caller, { crl, issuerChain });
    return {
      members: {
        isNew: taken.isNew,
        issuerKeyId: taken.issuerKeyId,
        // up to 20 octets: more than a JSON number holds
        number: taken.number.toString(),
        revoked: taken.revoked,
        revokedEums: taken.revokedEums,
      },
    };
  },
});
