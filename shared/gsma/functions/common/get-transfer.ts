import { object, required, text } from '../../check.ts';
import { id16 } from '../../fields.ts';
import type { FunctionBinding } from '../../function-binding.ts';

const body = object({ requestId: required(id16), name: required(text(256)) });

/** getTransfer: where to download one part that an earlier answer named. */
export const getTransfer: FunctionBinding<ReturnType<typeof body>> = {
  name: 'getTransfer',
  body,
  subject: (input) => ({ requestId: input.requestId }),
  async call(services, caller, input) {
    const { downloadUrl, size, sha256 } = await services.transfers.getTransfer(caller, input);
    return { members: { downloadUrl, size, sha256 } };
  },
};
