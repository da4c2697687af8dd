import { useCallback, useEffect, useRef, useState } from 'react';
import { isAttended } from '../session/attention.ts';
import { type Answer, call, type FunctionName, type Input } from './client.ts';

export interface Called<Name extends FunctionName> {
  readonly answer?: Answer<Name>;
  readonly error?: Error;
  readonly loading: boolean;
  readonly reload: () => void;
}

/** The answer to a call, asked again when the input changes, on `reload`, and every `everyMs` while the page is seen and used. */
export function useCall<Name extends FunctionName>(
  name: Name,
  input: Input<Name>,
  everyMs?: number,
): Called<Name> {
  const [state, setState] = useState<{ answer?: Answer<Name>; error?: Error; loading: boolean }>({
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(input);
  const shown = useRef('');
  // biome-ignore lint/correctness/useExhaustiveDependencies: each turn asks again
  useEffect(() => {
    const control = new AbortController();
    // what was shown stays until the next answer of the same question
    const same = shown.current === key;
    setState((before) => (same ? { ...before, loading: true } : { loading: true }));
    call(name, JSON.parse(key) as Input<Name>, { signal: control.signal }).then(
      (answer) => {
        shown.current = key;
        setState({ answer, loading: false });
      },
      (error: Error) => {
        if (!control.signal.aborted) setState((before) => ({ ...(same && before), error, loading: false }));
      },
    );
    return () => control.abort();
  }, [name, key, turn]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (!document.hidden && isAttended()) setTurn((before) => before + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { ...state, reload };
}

type Paged = {
  readonly [N in FunctionName]: Answer<N> extends { cursor?: string } ? N : never;
}[FunctionName];

export interface Pages<Entry> {
  readonly entries: readonly Entry[];
  readonly more: boolean;
  readonly loading: boolean;
  readonly error?: Error;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

/** Pages of a list, one after the other as they are asked for. A page may be empty and still not the last one. */
export function usePages<Name extends Paged, Entry>(
  name: Name,
  input: Input<Name>,
  entriesOf: (answer: Answer<Name>) => readonly Entry[],
): Pages<Entry> {
  const [state, setState] = useState<{
    readonly entries: readonly Entry[];
    readonly cursor?: string;
    readonly more: boolean;
    readonly loading: boolean;
    readonly error?: Error;
  }>({ entries: [], more: true, loading: true });
  const key = JSON.stringify(input);
  const turn = useRef(0);
  const pick = useRef(entriesOf);
  pick.current = entriesOf;

  const load = useCallback(
    async (before: readonly Entry[], from: string | undefined, mine: number) => {
      setState((old) => ({ ...old, loading: true }));
      try {
        let cursor = from;
        let entries = before;
        // pages in which nothing matched are passed over, as far as somebody would wait
        for (let empty = 0; empty < 20; empty++) {
          const page = { ...(JSON.parse(key) as Input<Name>), ...(cursor !== undefined && { cursor }) };
          const answer = await call(name, page as Input<Name>);
          if (mine !== turn.current) return;
          const found = pick.current(answer);
          entries = [...entries, ...found];
          cursor = (answer as { cursor?: string }).cursor;
          setState({
            entries,
            more: cursor !== undefined,
            loading: cursor !== undefined && found.length === 0,
            ...(cursor !== undefined && { cursor }),
          });
          if (cursor === undefined || found.length > 0) return;
        }
        setState((old) => ({ ...old, loading: false }));
      } catch (error) {
        if (mine === turn.current) setState((old) => ({ ...old, error: error as Error, loading: false }));
      }
    },
    [name, key],
  );
  const reload = useCallback(() => {
    turn.current += 1;
    setState({ entries: [], more: true, loading: true });
    void load([], undefined, turn.current);
  }, [load]);
  useEffect(reload, [reload]);
  const { cursor, loading, more, entries, error } = state;
  const loadMore = useCallback(() => {
    if (!loading && more) void load(entries, cursor, turn.current);
  }, [load, loading, more, entries, cursor]);
  return { entries, more, loading, loadMore, reload, ...(error !== undefined && { error }) };
}
