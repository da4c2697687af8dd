import { object, optional } from '../../check.ts';
import { base64, transferId, writeId16 } from '../../fields.ts';
import { type FunctionBinding, inlineOrObject } from '../../function-binding.ts';
import { itemCodes } from '../../header.ts';

const body = object({ euiccDataBatch: optional(base64), transferId: optional(transferId) });

/** ESed1.registerEuiccData: an EuiccDataBatch (FF60); each entry stands by itself. */
export const registerEuiccData: FunctionBinding<ReturnType<typeof body>> = {
  name: 'registerEuiccData',
  body,
  fromDer: (euiccDataBatch) => ({ euiccDataBatch }),
  async call(services, caller, input) {
    const batch = await inlineOrObject(
      services,
      caller,
      { name: 'euiccDataBatch', purpose: 'euiccData' },
      input.euiccDataBatch,
      input.transferId,
    );
    const answer = await services.ingest.registerEuiccData(caller, batch);
    return {
      members: {
        batchId: writeId16(answer.batchId),
        state: answer.state,
        entries: answer.entries,
        accepted: answer.accepted,
        rejectedCount: answer.rejectedCount,
        rejected: answer.rejected.map((item) => ({
          index: item.index,
          eid: item.eid,
          ...(item.keyId === undefined ? {} : { keyId: writeId16(item.keyId) }),
          ...itemCodes(item),
        })),
      },
      warning: answer.rejectedCount > 0,
      subject: { batchId: answer.batchId },
    };
  },
};
