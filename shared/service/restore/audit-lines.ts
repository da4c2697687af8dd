import { canonicalJson } from '../../codec/canonical-json.ts';
import { asRead } from '../../ledger/change.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { scanSpread } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { Vault } from '../../vault/vault.ts';
import type { ChainedLine } from '../api/admin.ts';
import { archivedLines } from '../audit/archive.ts';
import { lineHash } from '../audit/line.ts';
import { auditHead, chainedLine, headOf, type WaitingLine, waitingLine } from '../records/audit.ts';
import { ledgerKeys, waitingLineStripes } from '../records/keys.ts';

/** Lines and the new head in one transaction. */
const BATCH = 80;

/**
 * Takes the lines that were archived after the restored ledger's last one back into its chain, so that the log goes on
 * from there and never forks, and drops those that wait to be chained although the archive has them. Returns how many
 * came back. Lines that no archive has are lost. May be repeated. `known`: the last line that the ledger had when it was put
 * back; what the archive has up to there is not read.
 */
export async function replayAuditLines(
  ledger: Ledger,
  vault: Pick<Vault, 'list' | 'get'>,
  known: number,
): Promise<number> {
  let replayed = 0;
  let head = await ledger.get(ledgerKeys.auditHead);
  let batch: ChainedLine[] = [];
  const waiting = await waitingLines(ledger);
  const flush = async () => {
    const last = batch.at(-1);
    if (last === undefined) return;
    const writes: Write[] = batch.map((line) => ({
      put: ledgerKeys.auditLine(line.sequence),
      attributes: chainedLine.to(line),
      when: 'absent',
    }));
    writes.push({
      put: ledgerKeys.auditHead,
      attributes: auditHead.to({
        sequence: last.sequence,
        hash: last.hash,
        anchors: headOf(head)?.anchors ?? [],
      }),
      when: asRead(head),
    });
    const { done } = await ledger.transact(writes);
    if (done) replayed += batch.length;
    for (const line of batch) {
      const item = waiting.get(contentOf(line));
      if (item !== undefined) await ledger.write({ remove: item, when: { revision: item.revision } });
    }
    batch = [];
    head = await ledger.get(ledgerKeys.auditHead);
  };
  for await (const line of archivedLines(vault, known)) {
    const last = batch.at(-1);
    const { sequence, hash } = last ?? headOf(head) ?? { sequence: 0, hash: undefined };
    if (line.sequence <= sequence) {
      // a crash came between the chain and the lines that wait
      const item = waiting.get(contentOf(line));
      if (item !== undefined) await ledger.write({ remove: item, when: { revision: item.revision } });
      continue;
    }
    const { hash: own, ...rest } = line;
    const follows = line.sequence === sequence + 1 && (hash === undefined || line.previous === hash);
    // what does not follow is another history: `audit verify` shows it, and nothing of it is taken on
    if (!follows || lineHash(rest) !== own) break;
    batch.push(line);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return replayed;
}

async function waitingLines(ledger: Ledger): Promise<ReadonlyMap<string, Item>> {
  const waiting = new Map<string, Item>();
  for await (const items of scanSpread(ledger, waitingLineStripes))
    for (const item of items) waiting.set(contentOf(waitingLine.from(item)), item);
  return waiting;
}

const contentOf = ({ event, by, who, about, at }: WaitingLine) =>
  canonicalJson({ event, by, about, at, ...present({ who }) });
