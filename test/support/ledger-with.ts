import type { Ledger } from '../../shared/ledger/ledger.ts';

/** The ledger with some of its calls in place of its own. */
export function ledgerWith(ledger: Ledger, calls: Partial<Ledger>): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const own: unknown = Reflect.get(calls, name);
      if (own !== undefined) return own;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
