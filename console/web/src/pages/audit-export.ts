import { call, type Input } from '../api/client.ts';

type Wanted = Input<'ops.exportAuditLines'>;

/**
 * Saves the lines as files, each beside the statement that the server has signed for it. `smdpf statement verify` holds the
 * one against the other.
 */
export async function exportAudit(
  format: Wanted['format'],
  filter: Pick<Wanted, 'event' | 'by'>,
): Promise<number> {
  let lines = 0;
  for (let from: number | undefined = 1; from !== undefined; ) {
    const part: Awaited<ReturnType<typeof exported>> = await exported({ format, from, ...filter });
    const name = `audit-${part.from}-${part.to}`;
    save(
      `${name}.${format === 'csv' ? 'csv' : 'jsonl'}`,
      part.content,
      format === 'csv' ? 'text/csv' : 'application/jsonl',
    );
    save(
      `${name}.statement.json`,
      JSON.stringify({ statement: part.statement, longTermSignature: part.longTermSignature }),
      'application/json',
    );
    lines += part.lines;
    from = part.next;
  }
  return lines;
}

const exported = (wanted: Wanted) => call('ops.exportAuditLines', wanted);

function save(name: string, content: string, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
