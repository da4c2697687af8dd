import { object, required, text } from '../../check.ts';
import { id16 } from '../../fields.ts';
import { type FunctionName, type PartyFunction, partyFunction } from '../../interface-function.ts';

const body = object({ requestId: required(id16), name: required(text(256)) });

/** getTransfer of an interface: where to download one part that an earlier answer named. */
export const getTransferOf = <const Path extends FunctionName>(
  path: Path,
  { role, reaches, needs }: Pick<PartyFunction, 'role' | 'reaches' | 'needs'>,
) =>
  partyFunction({
    path,
    role,
    reaches,
    needs,
    body,
    subject: (input) => ({ requestId: input.requestId }),
    async call(services, caller, input) {
      const { downloadUrl, size, sha256 } = await services.transfers.getTransfer(caller, input);
      return { members: { downloadUrl, size, sha256 } };
    },
  });
