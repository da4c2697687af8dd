import { present } from '../../present.ts';
import { type ChainedLine, toldLine } from '../api/admin.ts';
import type { Inventory } from '../api/ops.ts';
import { chainRange } from '../audit/chained.ts';
import { readableLine } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { headOf } from '../records/audit.ts';
import { auditLineStripes, ledgerKeys } from '../records/keys.ts';
import { pageOf } from './page.ts';

/** Lines of the audit log, the newest first; what proves them complete is `admin.getAuditLines`. */
export async function listAuditLines(
  { ledger }: Pick<Context, 'ledger'>,
  { before, event, by, ...request }: Parameters<Inventory['listAuditLines']>[0],
): Promise<{ lines: readonly ChainedLine[]; cursor?: string }> {
  const end = headOf(await ledger.get(ledgerKeys.auditHead))?.sequence ?? 0;
  const source = {
    stripes: auditLineStripes,
    descending: true,
    ...chainRange(1, Math.min(end, (before ?? Number.POSITIVE_INFINITY) - 1)),
  } as const;
  const { entries: lines, cursor } = await pageOf(ledger, request, source, async (items) =>
    items.map((item) => {
      const line = readableLine(item);
      if (line === undefined) return [];
      if (event !== undefined && line.event !== event) return [];
      return by === undefined || line.by === by || line.who?.person === by ? [toldLine(line)] : [];
    }),
  );
  return { lines, ...present({ cursor }) };
}
