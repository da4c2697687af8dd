import { useCallback, useEffect } from 'react';
import { changeQuery, usePlace } from '../router.ts';

/**
 * A filter that sticks: it stands in the address, so that a link has it, and comes back with the page for as long as this browser's
 * tab is there. `orders-state` is `state` of `#/orders`.
 */
export function useKept(name: string): readonly [string, (text: string) => void] {
  const key = `smdpf-${name}`;
  const member = name.slice(name.lastIndexOf('-') + 1);
  const given = usePlace().query[member];
  const kept = sessionStorage.getItem(key) ?? '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page is opened
  useEffect(() => {
    if (given === undefined && kept !== '') changeQuery({ [member]: kept });
    else if (given !== undefined) sessionStorage.setItem(key, given);
  }, [key, given]);
  const change = useCallback(
    (to: string) => {
      sessionStorage.setItem(key, to);
      changeQuery({ [member]: to === '' ? undefined : to });
    },
    [key, member],
  );
  return [given ?? kept, change];
}
