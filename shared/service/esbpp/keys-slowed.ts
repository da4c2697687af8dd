import type { UseOptions } from '../../keys/provider.ts';
import type { KeysSlowed } from '../api/esbpp.ts';

/** Options for the uses of keys by one attempt, and how much the key service slowed it down so far. */
export function countKeysSlowed(priority: 'interactive' | 'bulk'): {
  readonly options: UseOptions;
  readonly slowed: () => KeysSlowed;
} {
  let [times, waitedMs] = [0, 0];
  const onSlowed = ({ wait }: { wait: number }) => {
    times += 1;
    waitedMs += wait;
  };
  return { options: { priority, onSlowed }, slowed: () => ({ times, waitedMs }) };
}
