import { integer, object, oneOf, required } from '../../check.ts';
import { sha256 } from '../../fields.ts';
import type { FunctionBinding } from '../../function-binding.ts';
import { allowPurpose } from '../../permissions.ts';

/** Octets. */
const MAX_TRANSFER = 1024 ** 3;

const body = object({
  purpose: required(oneOf('euiccData', 'bppRequest', 'profileLoadingReport', 'template', 'rows', 'crl')),
  size: required(integer(1, MAX_TRANSFER)),
  sha256: required(sha256),
});

/** openTransfer of every interface: where to upload exactly this content. */
export const openTransfer: FunctionBinding<ReturnType<typeof body>> = {
  name: 'openTransfer',
  body,
  async call(services, caller, input) {
    allowPurpose(caller, input.purpose);
    const { transferId, uploadUrl } = await services.transfers.openTransfer(caller, input);
    return { members: { transferId, uploadUrl } };
  },
};
