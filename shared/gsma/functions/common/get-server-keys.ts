import { object } from '../../check.ts';
import type { FunctionBinding } from '../../function-binding.ts';

const body = object({});

/** ES2f.getServerKeys and ESbpp.getServerKeys: under which keys reports and manifests are signed; for Operators, to which rows are encrypted. */
export const getServerKeys: FunctionBinding<ReturnType<typeof body>> = {
  name: 'getServerKeys',
  body,
  async call(services, caller) {
    const { intakeKey, reportKey, deliveryKeys } = await services.orders.getServerKeys(caller);
    return {
      members: caller.role === 'operator' ? { intakeKey, reportKey, deliveryKeys } : { deliveryKeys },
    };
  },
};
