import { encodeBppRequest } from '../../../shared/ifpp-draft1/bpp-request.ts';
import { decodeBppBatch, type PersonalisedEuicc } from '../../../sim/index.ts';
import { DEVICE_MAKER, type Deployment } from '../../support/deployment.ts';

/** What the device manufacturer gets from order `ORD-1` for these eUICCs, one item each. */
export async function bppBatchFor(
  deployment: Deployment,
  requestId: string,
  euiccs: readonly PersonalisedEuicc[],
) {
  const answer = await deployment.runtime.services.delivery.requestBpp(
    DEVICE_MAKER,
    encodeBppRequest({
      requestId,
      orderId: 'ORD-1',
      euiccData: undefined,
      items: euiccs.map(({ eid }, i) => ({
        itemId: i + 1,
        eid,
        keyId: undefined,
        iccid: undefined,
        additional: true,
      })),
    }),
  );
  return decodeBppBatch(answer.bppBatch!);
}
