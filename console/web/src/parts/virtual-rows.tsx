import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  /** A track of CSS grid: `200px`, `1fr`. */
  readonly width: string;
  readonly cell: (row: Row) => ReactNode;
}

interface VirtualRowsProps<Row> {
  readonly label: string;
  readonly count: number;
  readonly columns: readonly Column<Row>[];
  /** Undefined where it is not loaded yet. */
  readonly rowAt: (index: number) => Row | undefined;
  /** Rows that are seen: whoever has them loads them. */
  readonly onRange: (first: number, last: number) => void;
  readonly onOpen: (row: Row) => void;
  /** Shown and marked when it changes. */
  readonly focus?: number | undefined;
}

const ROW = 32;
const HEAD = 36;
const HEIGHT = 512;
const SEEN = HEIGHT / ROW;
/** Browsers have no taller elements than 17 to 33 million pixels: from here on a pixel of the scroll bar is several rows. */
const TALLEST = 8_000_000;

/** A list of any length: only the rows that are seen are in the page. Arrows, Page, Home and End move; Enter opens. */
export function VirtualRows<Row>({
  label,
  count,
  columns,
  rowAt,
  onRange,
  onOpen,
  focus,
}: VirtualRowsProps<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [current, setCurrent] = useState(0);
  const tall = count * ROW;
  const body = Math.min(tall, TALLEST);
  const scale = tall <= TALLEST ? 1 : (tall - HEIGHT) / (TALLEST - HEIGHT);
  const first = Math.max(0, Math.min(Math.floor((top * scale) / ROW), count - Math.ceil(SEEN)));
  const last = Math.min(count, first + Math.ceil(SEEN) + 1);
  const offset = top * scale - first * ROW;
  const tracks = columns.map(({ width }) => width).join(' ');

  useEffect(() => onRange(first, last), [onRange, first, last]);

  const show = (index: number) => {
    const at = Math.max(0, Math.min(index, count - 1));
    setCurrent(at);
    if (at >= first + 1 && at < last - 2) return;
    const wanted = at < first + 1 ? at * ROW : (at + 2) * ROW - HEIGHT;
    if (box.current !== null) box.current.scrollTop = Math.max(0, wanted) / scale;
  };
  const shown = useRef(show);
  shown.current = show;
  useEffect(() => {
    if (focus !== undefined) shown.current(focus);
  }, [focus]);

  const onKeyDown = (event: KeyboardEvent) => {
    const to = MOVES[event.key]?.(current, count);
    if (to !== undefined) {
      event.preventDefault();
      show(to);
    }
    const row = rowAt(current);
    if (event.key === 'Enter' && row !== undefined) onOpen(row);
  };

  return (
    // one stop of the tab key for a million rows; the arrows move in them
    <div
      ref={box}
      className="rows"
      role="grid"
      aria-label={label}
      aria-rowcount={count + 1}
      aria-colcount={columns.length}
      tabIndex={0}
      aria-activedescendant={count > 0 ? `row-${current}` : undefined}
      style={{ height: HEAD + Math.min(HEIGHT, Math.max(tall, ROW)) }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div role="row" aria-rowindex={1} className="rows-head" style={{ gridTemplateColumns: tracks }}>
        {columns.map(({ id, header }) => (
          <div role="columnheader" key={id}>
            {header}
          </div>
        ))}
      </div>
      <div role="rowgroup" className="rows-body" style={{ height: body }}>
        {Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i).map((index) => (
          <OneRow
            key={index}
            index={index}
            top={top - offset + (index - first) * ROW}
            tracks={tracks}
            columns={columns}
            row={rowAt(index)}
            current={index === current}
            onClick={() => setCurrent(index)}
            onOpen={onOpen}
          />
        ))}
      </div>
    </div>
  );
}

const MOVES: Readonly<Record<string, (current: number, count: number) => number>> = {
  ArrowDown: (current) => current + 1,
  ArrowUp: (current) => current - 1,
  PageDown: (current) => current + Math.floor(SEEN),
  PageUp: (current) => current - Math.floor(SEEN),
  Home: () => 0,
  End: (_, count) => count - 1,
};

interface OneRowProps<Row> extends Pick<VirtualRowsProps<Row>, 'columns' | 'onOpen'> {
  readonly index: number;
  readonly top: number;
  readonly tracks: string;
  readonly row: Row | undefined;
  readonly current: boolean;
  readonly onClick: () => void;
}

function OneRow<Row>({ index, top, tracks, columns, row, current, onClick, onOpen }: OneRowProps<Row>) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys
    <div
      id={`row-${index}`}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={current}
      className={current ? 'row current' : 'row'}
      style={{ transform: `translateY(${top}px)`, gridTemplateColumns: tracks }}
      onClick={onClick}
      onDoubleClick={() => row !== undefined && onOpen(row)}
    >
      {columns.map(({ id, cell }) => (
        <div role="gridcell" key={id}>
          {row === undefined ? '…' : cell(row)}
        </div>
      ))}
    </div>
  );
}
