import { useCallback, useState } from 'react';

/** A text that stays for as long as this browser's tab does: a filter that sticks. */
export function useKept(name: string): readonly [string, (text: string) => void] {
  const key = `smdpf-${name}`;
  const [text, setText] = useState(() => sessionStorage.getItem(key) ?? '');
  const change = useCallback(
    (to: string) => {
      sessionStorage.setItem(key, to);
      setText(to);
    },
    [key],
  );
  return [text, change];
}
