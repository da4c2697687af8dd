import { objectAndMore, required } from '../../check.ts';
import { base64 } from '../../fields.ts';
import { fieldFunction } from '../../interface-function.ts';
import { MAX_NOTIFICATION_BODY } from '../../limits.ts';

/** An LPA whose notification is refused keeps it and sends it for ever: members of later versions are passed over. */
const body = objectAndMore({ pendingNotification: required(base64) });

/**
 * ES9+.HandleNotification (SGP.22 section 5.6.4 and 6.5.2.10): a ProfileInstallationResult (BF37) or another signed
 * notification (SEQUENCE) from a device in the field. There is no party: the eUICC's signature is what counts.
 */
export const handleNotification = fieldFunction({
  path: 'es9plus.handleNotification',
  role: 'anyone',
  reaches: [],
  needs: { notifier: true },
  /** SGP.22 section 6.5.2.10, where LPAs in the field send it. */
  alsoAt: '/gsma/rsp2/es9plus/handleNotification',
  maxBody: MAX_NOTIFICATION_BODY,
  body,
  fromDer: (pendingNotification) => ({ pendingNotification }),
  async call(services, { pendingNotification }) {
    await services.reports.handleNotification(pendingNotification);
  },
});
