import { object, required } from '../../check.ts';
import { base64 } from '../../fields.ts';
import type { FunctionBinding } from '../../function-binding.ts';

const body = object({ pendingNotification: required(base64) });

/**
 * ES9+.HandleNotification (SGP.22 section 5.6.4 and 6.5.2.10): a ProfileInstallationResult (BF37) or another signed
 * notification (SEQUENCE) from a device in the field. There is no party: the eUICC's signature is what counts.
 */
export const handleNotification: FunctionBinding<ReturnType<typeof body>, undefined> = {
  name: 'handleNotification',
  body,
  fromDer: (pendingNotification) => ({ pendingNotification }),
  async call(services, _caller, { pendingNotification }) {
    await services.reports.handleNotification(pendingNotification);
    return undefined;
  },
};
