import { wrapped, wrapWidth } from './wrap.ts';

/** Columns of the terminal that stdout is; as many as are wanted where it is a file or a pipe. */
const terminalColumns = () =>
  (process.stdout.isTTY ? process.stdout.columns : undefined) ?? Number.POSITIVE_INFINITY;

const GAP = 2;

type Cell = string | number | undefined;

/**
 * A table for people: columns as wide as their widest cell, two spaces between, numbers to the right. Cells are made
 * safe for a terminal. Where the table is wider than that, its cells go on in the next line, and where not even their
 * longest words stand side by side each row is a block of its own: nothing is cut.
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number = terminalColumns(),
): string {
  const cells = rows.map((row) => headings.map((_, column) => printable(String(row[column] ?? ''))));
  const ofColumn = (column: number) => [headings[column]!, ...cells.map((row) => row[column]!)];
  const wanted = headings.map((_, column) => Math.max(...ofColumn(column).map((text) => text.length)));
  const least = headings.map((_, column) => Math.max(...ofColumn(column).map(wrapWidth)));
  const room = columns - GAP * (headings.length - 1);
  const widths = fitted(wanted, least, room);
  if (widths === undefined) return blocks(headings, rows, columns);
  const toTheRight = headings.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        toTheRight[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join(' '.repeat(GAP))
      .trimEnd();
  const lines = (row: readonly string[]): string[] => {
    const parts = row.map((cell, column) => wrapped(cell, widths[column]!));
    const height = Math.max(1, ...parts.map(({ length }) => length));
    return Array.from({ length: height }, (_, i) => line(parts.map((part) => part[i] ?? '')));
  };
  return [...lines(headings), line(widths.map((width) => '─'.repeat(width))), ...cells.flatMap(lines)].join(
    '\n',
  );
}

/** Widths that fit, taken from the widest columns that can give; undefined where none do. */
function fitted(wanted: readonly number[], least: readonly number[], room: number): number[] | undefined {
  const fit = [...wanted];
  const total = () => fit.reduce((sum, width) => sum + width, 0);
  while (total() > room) {
    const spare = fit.map((width, column) => (width > least[column]! ? width : 0));
    const widest = Math.max(...spare);
    if (widest === 0) return undefined;
    fit[spare.indexOf(widest)]! -= 1;
  }
  return fit;
}

/** Each row as lines of `heading  cell`, without those that are empty. */
const blocks = (headings: readonly string[], rows: readonly (readonly Cell[])[], columns: number): string =>
  rows
    .map((row) =>
      fields(
        headings
          .map((heading, column) => [heading, row[column]] as const)
          .filter(([, cell]) => cell !== undefined && cell !== ''),
        columns,
      ),
    )
    .join('\n\n');

/** Room that a value is given beside its name, however narrow the terminal. */
const LEAST_VALUE = 16;

/** `name  value` lines, aligned; on a terminal a long value goes on below itself. */
export function fields(
  pairs: readonly (readonly [name: string, value: Cell])[],
  columns: number = terminalColumns(),
): string {
  const present = pairs.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...present.map(([name]) => name.length));
  const room = Math.max(LEAST_VALUE, columns - width - GAP);
  return present
    .flatMap(([name, value]) =>
      wrapped(printable(String(value)), room).map(
        (part, i) => `${(i === 0 ? name : '').padEnd(width)}${' '.repeat(GAP)}${part}`,
      ),
    )
    .join('\n');
}

/** Replaces control and direction-changing characters, which received text could use to fake lines. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '�');
}
