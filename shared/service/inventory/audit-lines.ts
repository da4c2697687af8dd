import { present } from '../../present.ts';
import { type ChainedLine, toldLine } from '../api/admin.ts';
import type { Inventory } from '../api/ops.ts';
import { readableLine } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { pageOf } from './page.ts';

const LAST = 9_999_999_999;

/** Lines of the audit log, the newest first; what proves them complete is `admin.getAuditLines`. */
export async function listAuditLines(
  { ledger }: Context,
  { before, event, by, ...request }: Parameters<Inventory['listAuditLines']>[0],
): Promise<{ lines: readonly ChainedLine[]; cursor?: string }> {
  const source = {
    partition: partitions.audit,
    descending: true,
    from: ledgerKeys.auditLine(0).sort,
    to: ledgerKeys.auditLine(before === undefined ? LAST : before - 1).sort,
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
