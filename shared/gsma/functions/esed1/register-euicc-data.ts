import { ifPresent, present } from '../../../present.ts';
import { warningsMember } from '../../../warnings.ts';
import { object, optional } from '../../check.ts';
import { base64, transferId, writeId16 } from '../../fields.ts';
import { itemCodes } from '../../header.ts';
import { partyFunction } from '../../interface-function.ts';
import { inlineOrObject } from '../../transferred.ts';

const body = object({ euiccDataBatch: optional(base64), transferId: optional(transferId) });

/** Esed1.registerEuiccData: an EuiccDataBatch (FF60); each entry stands by itself. */
export const registerEuiccData = partyFunction({
  path: 'esed1.registerEuiccData',
  role: 'eum',
  reaches: ['eum', 'transfer'],
  transfers: ['euiccData'],
  needs: { vault: 'write', dispatcher: true },
  wholeCore: true,
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
        ...present({ entries: answer.entries }),
        accepted: answer.accepted,
        rejectedCount: answer.rejectedCount,
        rejected: answer.rejected.map((item) => ({
          index: item.index,
          eid: item.eid,
          ...present({ keyId: ifPresent(item.keyId, writeId16) }),
          ...itemCodes(item),
        })),
        ...warningsMember(answer.warnings),
      },
      warning: answer.rejectedCount > 0,
      subject: { batchId: answer.batchId },
    };
  },
});
