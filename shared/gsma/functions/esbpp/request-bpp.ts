import { bppAnswer } from '../../bpp-answer.ts';
import { object, optional } from '../../check.ts';
import { base64, transferId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';
import { inlineOrObject } from '../../transferred.ts';

const body = object({ bppRequest: optional(base64), transferId: optional(transferId) });

/** Esbpp.requestBpp: a BppRequest (FF61). Small requests are answered at once, large ones are Pending. */
export const requestBpp = partyFunction({
  path: 'esbpp.requestBpp',
  role: 'deviceMaker',
  reaches: ['order', 'eid', 'transfer'],
  transfers: ['bppRequest'],
  needs: {
    vault: 'write',
    ppks: true,
    keys: ['wrapping', 'delivery', 'binding', 'longTerm'],
    dispatcher: true,
  },
  wholeCore: true,
  readsAhead: true,
  body,
  fromDer: (bppRequest) => ({ bppRequest }),
  async call(services, caller, input, confirmed) {
    if (input.transferId !== undefined) await confirmed;
    const request = await inlineOrObject(
      services,
      caller,
      { name: 'bppRequest', purpose: 'bppRequest' },
      input.bppRequest,
      input.transferId,
    );
    return bppAnswer(await services.delivery.requestBpp(caller, request, confirmed));
  },
});
