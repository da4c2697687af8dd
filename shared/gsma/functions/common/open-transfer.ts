import type { PartyRole } from '../../../service/api/caller.ts';
import { TRANSFER_PURPOSES, type TransferPurpose } from '../../../service/api/transfers.ts';
import { integer, object, oneOf, required } from '../../check.ts';
import { sha256 } from '../../fields.ts';
import { type FunctionName, partyFunction } from '../../interface-function.ts';
import { allowPurpose } from '../../permissions.ts';

/** Octets. */
const MAX_TRANSFER = 1024 ** 3;

const body = object({
  purpose: required(oneOf(...TRANSFER_PURPOSES)),
  size: required(integer(1, MAX_TRANSFER)),
  sha256: required(sha256),
});

/** openTransfer of an interface: where to upload exactly this content, for the functions of this interface alone. */
export const openTransferOf = <const Path extends FunctionName>(
  path: Path,
  role: PartyRole,
  transfers: readonly TransferPurpose[],
) =>
  partyFunction({
    path,
    role,
    reaches: [],
    transfers,
    needs: { vault: 'write' },
    body,
    async call(services, caller, input) {
      allowPurpose(caller, input.purpose, transfers);
      const { transferId, uploadUrl, headers } = await services.transfers.openTransfer(caller, input);
      return { members: { transferId, uploadUrl, headers } };
    },
  });
