/** Columns of the terminal that stdout is; as many as are wanted where it is a file or a pipe. */
const terminalColumns = () => (process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY);

/** No column is cut below this. */
const NARROWEST = 8;

/** Widths that fit, taken from the widest columns. */
function fitted(widths: readonly number[], columns: number): number[] {
  const fit = [...widths];
  const total = () => fit.reduce((sum, width) => sum + width, 0) + 2 * (fit.length - 1);
  while (total() > columns && Math.max(...fit) > NARROWEST) fit[fit.indexOf(Math.max(...fit))]! -= 1;
  return fit;
}

const cut = (text: string, width: number) => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/**
 * A table for people: columns as wide as their widest cell, two spaces between, numbers to the right. Cells are made
 * safe for a terminal, and cut where the table is wider than it: all of them are in --json.
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
  columns: number = terminalColumns(),
): string {
  const cells = rows.map((row) => headings.map((_, column) => printable(String(row[column] ?? ''))));
  const wanted = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]!.length)),
  );
  const widths = fitted(wanted, columns);
  const toTheRight = headings.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cut(cell, widths[column]!))
      .map((cell, column) =>
        toTheRight[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [line(headings), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)].join('\n');
}

/** `name  value` lines, aligned. */
export function fields(
  pairs: readonly (readonly [name: string, value: string | number | undefined])[],
): string {
  const present = pairs.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`).join('\n');
}

/** Replaces control and direction-changing characters, which received text could use to fake lines. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '�');
}
