import { personOf } from '../../../service/api/actor.ts';
import { integer, object, optional } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const MAX_NOTICES = 1_000;

const body = object({ orderId: optional(orderId), limit: optional(integer(1, MAX_NOTICES)) });

/** Admin.replayCallbacks: callbacks that were given up are posted again, of an order or of all. */
export const replayCallbacks = partyFunction({
  path: 'admin.replayCallbacks',
  role: 'administrator',
  reaches: [],
  needs: { notifier: true },
  body,
  async call(services, caller, { limit = MAX_NOTICES, ...input }) {
    const { replayed, more } = await services.callbacks.replayCallbacks(personOf(caller), {
      ...input,
      limit,
    });
    return { members: { replayed, more } };
  },
});
