import Flashbar from '@cloudscape-design/components/flashbar';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';

interface Notices {
  readonly tell: (text: string) => void;
}

const NoticesContext = createContext<Notices>({ tell: () => undefined });
export const useNotices = (): Notices => useContext(NoticesContext);

interface Notice {
  readonly id: string;
  readonly text: string;
}

/** What came of a change, above every page, until it is dismissed; also read out. */
export function useNoticeBar(): {
  readonly bar: ReactNode;
  readonly around: (inner: ReactNode) => ReactNode;
} {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const tell = useCallback(
    (text: string) => setNotices((before) => [...before.slice(-2), { id: crypto.randomUUID(), text }]),
    [],
  );
  const value = useMemo(() => ({ tell }), [tell]);
  const bar = (
    <Flashbar
      items={notices.map(({ id, text }) => ({
        id,
        type: 'success' as const,
        content: text,
        dismissible: true,
        dismissLabel: 'Dismiss',
        onDismiss: () => setNotices((before) => before.filter((one) => one.id !== id)),
        statusIconAriaLabel: 'Done',
        ariaRole: 'status' as const,
      }))}
    />
  );
  return { bar, around: (inner) => <NoticesContext value={value}>{inner}</NoticesContext> };
}
