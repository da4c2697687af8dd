import { object } from '../../check.ts';
import { type FunctionName, partyFunction } from '../../interface-function.ts';
import type { KeyNeed } from '../../port-needs.ts';

const body = object({});

/**
 * getServerKeys of ES2f and Esbpp: under which keys reports and manifests are signed; for Operators, to which rows are
 * encrypted.
 */
export const getServerKeysOf = <const Path extends FunctionName>(
  path: Path,
  role: 'operator' | 'deviceMaker',
  keys: readonly KeyNeed[],
) =>
  partyFunction({
    path,
    role,
    reaches: [],
    needs: { keys },
    body,
    async call(services, caller) {
      const { intakeKey, reportKey, ...signing } = await services.orders.getServerKeys(caller);
      return { members: role === 'operator' ? { intakeKey, reportKey, ...signing } : signing };
    },
  });
