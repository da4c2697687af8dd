import type { Ledger } from '../../shared/ledger/ledger.ts';

/** A ledger whose process dies with this call of it: once it is done, and nothing after it. */
export function dyingAt(ledger: Ledger, call: number): Ledger {
  let calls = 0;
  return new Proxy(ledger, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        calls += 1;
        if (calls > call) throw new Error('dead');
        const result: unknown = await Reflect.apply(member, target, args);
        if (calls === call) throw new Error('dead');
        return result;
      };
    },
  });
}
