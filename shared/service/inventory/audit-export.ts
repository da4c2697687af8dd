import { createHash } from 'node:crypto';
import { utf8 } from '../../codec/bytes.ts';
import { canonicalJson } from '../../codec/canonical-json.ts';
import { present } from '../../present.ts';
import type { ChainedLine } from '../api/admin.ts';
import type { AuditExport, AuditExportRequest } from '../api/ops.ts';
import { chainItems } from '../audit/chained.ts';
import { readableLine } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { longTermSignature } from '../keys/long-term.ts';
import { signedByDelivery } from '../keys/signed.ts';
import { headOf } from '../records/audit.ts';
import { ledgerKeys } from '../records/keys.ts';

/** `typ` of the statement. */
export const AUDIT_EXPORT_TYP = 'smdpf-audit-export+jws';

/** Lines that one export looks at, and octets of its content: what is longer is several, each signed by itself. */
const LINES = 5_000;
const OCTETS = 2 * 1024 * 1024;

/**
 * Lines of the audit log from a sequence number on, in their order, as a file for people, and a statement by the delivery
 * key that has the file's hash, which lines it is of, and where the chain ended. `smdpf statement verify` verifies both.
 */
export async function exportAuditLines(
  context: Context,
  { format, from = 1, event, by }: AuditExportRequest,
): Promise<AuditExport> {
  const head = headOf(await context.ledger.get(ledgerKeys.auditHead));
  const write = format === 'csv' ? csvLine : jsonLine;
  let content = format === 'csv' ? `${COLUMNS.map(csvCell).join(',')}\r\n` : '';
  let looked = 0;
  let lines = 0;
  let to = from - 1;
  let next: number | undefined;
  for await (const item of chainItems(context.ledger, { from, to: head?.sequence ?? 0 })) {
    if (looked === LINES || content.length >= OCTETS) {
      next = to + 1;
      break;
    }
    looked += 1;
    const line = readableLine(item);
    if (line === undefined) continue;
    to = line.sequence;
    if (event !== undefined && line.event !== event) continue;
    if (by !== undefined && line.by !== by && line.who?.person !== by) continue;
    content += write(line);
    lines += 1;
  }
  const payload = {
    deployment: context.settings.deployment,
    at: new Date(context.now()).toISOString(),
    sha256: createHash('sha256').update(content, 'utf8').digest('hex'),
    format,
    from,
    to,
    lines,
    filter: present({ event, by }),
    ...present({ head }),
  };
  const statement = await signedByDelivery(context, AUDIT_EXPORT_TYP, payload);
  return {
    content,
    statement,
    lines,
    from,
    to,
    ...present({ longTermSignature: await longTermSignature(context, utf8(statement)), next }),
  };
}

/** One JSON object a line (JSON Lines). */
const jsonLine = (line: ChainedLine) => `${canonicalJson(line)}\n`;

const COLUMNS = ['sequence', 'at', 'event', 'by', 'person', 'knownBy', 'about', 'previous', 'hash'] as const;

const csvLine = ({ sequence, at, event, by, who, about, previous, hash }: ChainedLine) =>
  `${[String(sequence), at, event, by, who?.person, who?.knownBy, JSON.stringify(about), previous, hash].map(csvCell).join(',')}\r\n`;

/** RFC 4180, always quoted. What a spreadsheet would take for a formula begins with an apostrophe. */
function csvCell(text = ''): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${plain.replaceAll('"', '""')}"`;
}
