import { object } from '../check.ts';
import type { FunctionBinding } from '../function-binding.ts';

const body = object({});

/** ES2f.getServerKeys: to which key rows are encrypted, and under which reports are signed. */
export const getServerKeys: FunctionBinding<ReturnType<typeof body>> = {
  name: 'getServerKeys',
  body,
  async call(services) {
    const { intakeKey, reportKey } = await services.orders.getServerKeys();
    return { members: { intakeKey, reportKey } };
  },
};
