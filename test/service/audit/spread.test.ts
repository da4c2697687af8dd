import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger, Range, Write } from '../../../shared/ledger/ledger.ts';
import { SqliteLedger } from '../../../shared/ledger/sqlite.ts';
import type { ChainedLine } from '../../../shared/service/api/admin.ts';
import { auditWrite } from '../../../shared/service/audit/line.ts';
import { AuditLog } from '../../../shared/service/audit/log.ts';
import { listAuditLines } from '../../../shared/service/inventory/audit-lines.ts';
import { AUDIT_STRIPES, auditLineStripes, waitingLineStripes } from '../../../shared/service/records/keys.ts';
import { transactionId } from '../../../shared/service/records/transaction-id.ts';
import { replayAuditLines } from '../../../shared/service/restore/audit-lines.ts';
import { openVault } from '../../../shared/vault/open.ts';
import type { ObjectRef, Vault } from '../../../shared/vault/vault.ts';
import { waitingAuditLines } from '../../support/audit.ts';
import { countingReads } from '../../support/counted-reads.ts';
import { effort } from '../../support/effort.ts';
import { ledgerWith } from '../../support/ledger-with.ts';
import { Death, Life } from '../mortal.ts';

let folder: string;
let vault: Vault;
let ledger: Ledger;
let log: AuditLog;

const open = async (spreads: boolean) => {
  folder = await mkdtemp(join(tmpdir(), 'smdpf-audit-'));
  vault = await openVault(`file:${folder}`, {
    baseUrl: 'https://dp.example.com/',
    transferSecret: new Uint8Array(32),
  });
  ledger = await SqliteLedger.open(':memory:', { spreads });
  log = new AuditLog(ledger, vault);
};
afterEach(async () => {
  await ledger.close();
  await rm(folder, { recursive: true });
});

/** The write of a line that says its own number. */
const lineWrite = (quantity: number, atMs: number, id = `line-${quantity}`): Write =>
  auditWrite({ event: 'order.prepared', by: 'test', about: { order: 'ORD-1', quantity } }, id, atMs);

const numberOf = ({ about }: ChainedLine) => Number(about.quantity);
/** What the lines of the chain say, from one on. */
const numbers = async (from?: number): Promise<readonly number[]> => {
  const said: number[] = [];
  for await (const line of log.lines(from)) said.push(numberOf(line));
  return said;
};
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

const problems = async () => {
  const found: unknown[] = [];
  for await (const line of log.verify()) if (line.problem !== undefined) found.push(line);
  return found;
};

describe.each([
  ['in as many partitions as on DynamoDB', true],
  ['in one each, as SQLite has them', false],
])('audit lines %s', { tags: ['I8'] }, (_, spreads) => {
  const partitions = spreads ? AUDIT_STRIPES : 1;
  /** The first reads of a walk find its end. */
  const firstMoment = effort({ short: Math.max(1, partitions - 2), long: 1 });
  /** Most calls of a round are the reads before its transactions. */
  const firstDeath = effort({ short: 2 * partitions - 1, long: 1 });
  beforeEach(() => open(spreads));

  it.runIf(spreads)(
    'are spread evenly, those that wait by what they are of and those of the chain by their number',
    async () => {
      const writes = upTo(1_600).map((n) =>
        lineWrite(n, 1_000_000, `profile-${transactionId('a'.repeat(24), n)}-1`),
      );
      await ledger.writeMany(writes);
      const sizesOf = async (partitions: readonly string[]) =>
        await Promise.all(partitions.map(async (one) => (await ledger.query(one)).items.length));
      for (const size of await sizesOf(waitingLineStripes)) expect(Math.abs(size - 100)).toBeLessThan(50);
      expect(await log.chain()).toBe(1_600);
      expect(await sizesOf(waitingLineStripes)).toEqual(waitingLineStripes.map(() => 0));
      expect(await sizesOf(auditLineStripes)).toEqual(auditLineStripes.map(() => 100));
      expect(AUDIT_STRIPES).toBe(16);
      expect(await problems()).toEqual([]);
    },
  );

  it('are chained by the millisecond at which each was written, whatever partition it waits in', async () => {
    // written in another order than that of their times, with names in a third
    const writes = upTo(500).map((n) => lineWrite(n, 1_000_000 + n, `line-${(n * 7919) % 500}`));
    await ledger.writeMany(writes.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))));
    await log.chain();
    expect(await numbers()).toEqual(upTo(500));
  });

  it('are chained behind what they came after, whenever both are written between the reads of a round', async () => {
    const [first, last] = [waitingLineStripes[0], waitingLineStripes.at(-1)];
    const idIn = (partition: string | undefined) =>
      upTo(1_000)
        .map((n) => `line-${n}`)
        .find((id) => JSON.stringify(lineWrite(0, 0, id)).includes(`"${partition}"`))!;
    let moments = 0;
    for (let moment = 1; ; moment++) {
      const at = 1_000_000 * moment;
      await ledger.writeMany([lineWrite(10, at, idIn(first)), lineWrite(11, at + 1, idIn(last))]);
      let queries = 0;
      let turn = Promise.resolve();
      const interrupted = ledgerWith(ledger, {
        // one read after another; behind one of them a cause and, in a partition that is read later, its effect
        query: async (partition: string, range?: Range) => {
          const before = turn;
          const reading = before.then(async () => {
            const page = await ledger.query(partition, range);
            queries += 1;
            if (queries === moment)
              for (const [quantity, id] of [idIn(first), idIn(last)].entries())
                await ledger.write(lineWrite(quantity, at + 100 + quantity, id));
            return page;
          });
          turn = reading.then(() => undefined);
          return await reading;
        },
      });
      await new AuditLog(interrupted, vault).chain();
      const isOver = queries < moment;
      await log.chain();
      const told = (await numbers()).slice(-4);
      if (isOver) break;
      moments += 1;
      expect(told, `written after read ${moment}`).toEqual([10, 11, 0, 1]);
    }
    expect(moments).toBeGreaterThanOrEqual(2 * partitions);
    expect(await problems()).toEqual([]);
  });

  it('are chained each once, wherever the process dies that chains them', async () => {
    let written = 0;
    let deaths = 0;
    for (const when of ['before', 'after'] as const)
      for (let call = firstDeath; ; call++) {
        const before = written;
        await ledger.writeMany(upTo(55).map(() => lineWrite(written, 1_000_000 + written++)));
        const life = new Life({ call, when });
        life.begun = true;
        const mortal = new AuditLog(life.wrap(ledger), vault);
        await mortal.chain().catch((error: unknown) => expect(error).toBeInstanceOf(Death));
        if (!life.dead) break;
        deaths += 1;
        await log.chain();
        const told = await numbers(before + 1);
        expect(told, `death ${when} call ${call}`).toEqual(upTo(55).map((n) => before + n));
      }
    expect(deaths).toBeGreaterThanOrEqual(2 * (2 * partitions + 4 - firstDeath));
    expect(await numbers()).toEqual(upTo(written));
    expect(await waitingAuditLines(ledger)).toEqual([]);
    expect(await problems()).toEqual([]);
  });

  it('are chained each once by several at the same time, while others write', async () => {
    const others = upTo(4).map(() => new AuditLog(ledger, vault));
    let written = 0;
    for (let round = 0; round < 5; round++) {
      const writing = ledger.writeMany(upTo(150).map(() => lineWrite(written, 1_000_000 + written++)));
      await Promise.all([writing, ...others.map((one) => one.chain())]);
    }
    await log.chain();
    expect((await numbers()).toSorted((a, b) => a - b)).toEqual(upTo(written));
    expect(await problems()).toEqual([]);
  });

  it('that are written while others are chained wait for the next round, which thus has an end', async () => {
    await ledger.writeMany(upTo(200).map((n) => lineWrite(n, 1_000_000 + n)));
    let more = 200;
    const busy = ledgerWith(ledger, {
      transact: async (writes: readonly Write[]) => {
        await ledger.write(lineWrite(more, 2_000_000 + more++));
        return await ledger.transact(writes);
      },
    });
    expect(await new AuditLog(busy, vault).chain()).toBe(200);
    expect(await log.chain()).toBe(more - 200);
    expect(await numbers()).toEqual(upTo(more));
  });

  it('are chained and archived by turns, of which each has an end', async () => {
    await ledger.writeMany(upTo(130).map((n) => lineWrite(n, 1_000_000 + n)));
    expect(await log.chain(50)).toBe(98);
    expect(await log.chainAndArchive(() => false)).toEqual({ chained: 32, archived: 130 });
    expect(await log.chainAndArchive(() => true)).toEqual({ chained: 0, archived: 0 });
    expect(await problems()).toEqual([]);
  });

  it('are read without a gap, whenever others are chained between the reads', async () => {
    let written = 0;
    const more = async (count: number) => {
      await ledger.writeMany(upTo(count).map(() => lineWrite(written, 1_000_000 + written++)));
      await log.chain();
    };
    await more(40);
    const gapless = (said: readonly number[]) => {
      for (const [i, one] of said.entries()) if (i > 0) expect(Math.abs(one - said[i - 1]!)).toBe(1);
      expect(said.length).toBeGreaterThanOrEqual(40);
    };
    let moments = 0;
    for (let moment = firstMoment, isOver = false; !isOver; moment++) {
      let queries = 0;
      let turn = Promise.resolve();
      const interrupted = ledgerWith(ledger, {
        query: async (partition, range) => {
          const reading = turn.then(async () => {
            const page = await ledger.query(partition, range);
            queries += 1;
            if (queries === moment) await more(7);
            return page;
          });
          turn = reading.then(() => undefined);
          return await reading;
        },
      });
      const other = new AuditLog(interrupted, vault);
      const readings: (() => Promise<void>)[] = [
        async () => {
          for await (const { problem } of other.verify()) expect(problem).toBeUndefined();
        },
        async () => gapless((await other.getAuditLines({ from: 1, limit: 9_999 })).lines.map(numberOf)),
        async () =>
          gapless((await listAuditLines({ ledger: interrupted }, { limit: 1_000 })).lines.map(numberOf)),
        async () => {
          const said: number[] = [];
          for await (const line of other.lines()) said.push(numberOf(line));
          gapless(said);
        },
      ];
      isOver = true;
      for (const read of readings) {
        queries = 0;
        await read();
        isOver &&= queries < moment;
      }
      moments += isOver ? 0 : 1;
    }
    expect(moments).toBeGreaterThanOrEqual(2 * partitions + 1 - firstMoment);
  });

  it('come back from the archive after a restore, of which no more is read than what the ledger lacks', async () => {
    const restored = await SqliteLedger.open(':memory:', { spreads });
    const of = new AuditLog(restored, vault);
    for (const batch of [upTo(30), upTo(60).slice(30), upTo(75).slice(60)]) {
      await ledger.writeMany(batch.map((n) => lineWrite(n, 1_000_000 + n)));
      await log.chain();
      await log.archive();
    }
    await restored.writeMany(upTo(65).map((n) => lineWrite(n, 1_000_000 + n)));
    await of.chain(49);
    const known = (await of.head()).sequence;
    expect(known).toBe(49);
    const read: string[] = [];
    const watched = {
      list: vault.list.bind(vault),
      get: (ref: ObjectRef) => {
        read.push(ref.name);
        return vault.get(ref);
      },
    };
    expect(await replayAuditLines(restored, watched, known)).toBe(75 - 49);
    expect(read).toHaveLength(2);
    // those that waited were in the archive as well
    expect(await waitingAuditLines(restored)).toEqual([]);
    expect(await of.head()).toEqual(await log.head());
    await restored.close();
  });

  it('are read from a number on in reads that their number does not matter for, onwards and back', async () => {
    await ledger.writeMany(upTo(500).map((n) => lineWrite(n, 1_000_000 + n)));
    await log.chain();
    const { ledger: counted, reads } = countingReads(ledger);
    const { lines } = await new AuditLog(counted, vault).getAuditLines({ from: 201, limit: 100 });
    expect(lines.map(({ about }) => about.quantity)).toEqual(upTo(100).map((n) => 200 + n));
    // the end of the chain, and twice an even share of each partition, or the whole page of one
    expect(reads).toEqual({ calls: 1 + partitions, items: 1 + (spreads ? 13 * partitions : 100) });
    const page = await listAuditLines({ ledger: counted }, { before: 301, limit: 100 });
    expect(page.lines.map(({ about }) => about.quantity)).toEqual(upTo(100).map((n) => 299 - n));
    expect(reads.calls).toBeLessThanOrEqual(spreads ? 4 * partitions : 5);
  });
});
