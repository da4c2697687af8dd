import { bppAnswer } from '../../bpp-answer.ts';
import { integer, object, optional, required } from '../../check.ts';
import { id16 } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({ requestId: required(id16), page: optional(integer(0, 10_000_000)) });

/** Esbpp.getBppBatch: the answer to an earlier requestBpp, octet for octet the same however often it is asked for. */
export const getBppBatch = partyFunction({
  path: 'esbpp.getBppBatch',
  role: 'deviceMaker',
  reaches: ['job'],
  needs: { vault: 'write', keys: ['delivery', 'longTerm'], dispatcher: true },
  body,
  subject: (input) => ({ requestId: input.requestId }),
  async call(services, caller, input) {
    return bppAnswer(await services.delivery.getBppBatch(caller, input));
  },
});
