import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../shared/codec/canonical-json.ts';
import type { Attributes, Item, Ledger } from '../../../shared/ledger/ledger.ts';
import { HeadAnchors } from '../../../shared/service/audit/head-anchors.ts';
import { auditWrite } from '../../../shared/service/audit/line.ts';
import { AuditLog } from '../../../shared/service/audit/log.ts';
import { auditHead, chainedLine, waitingLine } from '../../../shared/service/records/audit.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { ppkAuditHead } from '../../../shared/service/records/object-names.ts';
import type { RecordOf } from '../../../shared/service/records/record.ts';
import { Deployment } from '../../support/deployment.ts';
import { Death, Life } from '../mortal.ts';
import { findingsOf } from '../verify/findings.ts';

const LINES = 120;
let deployment: Deployment;
let ledger: Ledger;

beforeEach(async () => {
  deployment = await Deployment.create({ memory: true });
  ledger = deployment.runtime.context.ledger;
  await deployment.runtime.audit.chain();
  const start = (await deployment.runtime.audit.head()).sequence;
  for (let i = start; i < LINES; i++)
    await ledger.write(
      auditWrite(
        { event: 'order.prepared', by: 'test', about: { order: 'ORD-1', quantity: i } },
        `line-${String(i).padStart(4, '0')}`,
        1_000_000,
      ),
    );
  await deployment.runtime.audit.chain();
});
afterEach(() => deployment.close());

/** By the chain and its archive alone, unless the log is the one that has the PPK vault. */
async function problems(
  log = new AuditLog(ledger, deployment.runtime.context.vault),
): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for await (const { sequence, problem } of log.verify())
    if (problem !== undefined) found.push([sequence, problem]);
  return found;
}

const key = (sequence: number) => ({
  partition: `audit-line##${sequence % 16}`,
  sort: String(sequence).padStart(10, '0'),
});
const line = async (sequence: number) => (await ledger.get(key(sequence)))!;
const put = (item: Item, attributes: Attributes) =>
  ledger.write({ put: item, attributes, when: { revision: item.revision } });
const remove = (item: Item) => ledger.write({ remove: item, when: { revision: item.revision } });

type Unhashed = Omit<RecordOf<typeof chainedLine>, 'hash'>;

/** Writes all lines from `sequence` on anew, each with its right hash, after `change` has had the first of them. */
async function rewriteTail(sequence: number, change: (line: Unhashed) => Unhashed): Promise<void> {
  let previous = String((await line(sequence)).attributes.previous);
  for (let at = sequence; at <= LINES; at++) {
    const item = await line(at);
    const { hash: _, ...rest } = chainedLine.from(item);
    const changed = { ...(at === sequence ? change(rest) : rest), previous };
    previous = createHash('sha256').update(canonicalJson(changed)).digest('hex');
    await put(item, chainedLine.to({ ...changed, hash: previous }));
  }
  await moveHead(LINES);
}

async function moveHead(sequence: number): Promise<void> {
  const head = (await ledger.get({ partition: 'audit', sort: 'head' }))!;
  const { anchors } = auditHead.from(head);
  await put(head, auditHead.to({ sequence, hash: chainedLine.from(await line(sequence)).hash, anchors }));
}

describe('the check of the audit chain by itself', { tags: ['DPFS01', 'I8'] }, () => {
  it('holds for an untouched log, line by line', async () => {
    let lines = 0;
    for await (const { problem } of deployment.runtime.audit.verify()) {
      expect(problem).toBeUndefined();
      lines += 1;
    }
    expect(lines).toBe(LINES);
  });

  it('shows a line that was changed', async () => {
    const item = await line(60);
    await put(item, { ...item.attributes, by: 'somebody else' });
    expect(await problems()).toEqual([[60, 'the line was changed']]);
  });

  it('shows a line that was changed together with its hash', async () => {
    const item = await line(60);
    const { hash: _, ...rest } = chainedLine.from(item);
    const changed = { ...rest, by: 'somebody else' };
    const hash = createHash('sha256').update(canonicalJson(changed)).digest('hex');
    await put(item, chainedLine.to({ ...changed, hash }));
    expect(await problems()).toEqual([[61, 'the line does not follow the one before it']]);
  });

  it('shows a line that is missing', async () => {
    await remove(await line(60));
    expect(await problems()).toEqual([[61, 'lines 60 to 60 are missing']]);
  });

  it('shows two lines in each other’s place', async () => {
    const [one, two] = [await line(60), await line(61)];
    await put(one, two.attributes);
    await put(two, one.attributes);
    expect((await problems()).map(([, problem]) => problem)).toContain('the line stands in another place');
  });

  it('shows an end that was cut off', async () => {
    await remove(await line(LINES));
    expect(await problems()).toEqual([[LINES, 'the end of the log is missing or was changed']]);
  });

  it('shows a tail that was rewritten with its hashes but not the head', async () => {
    const head = (await ledger.get({ partition: 'audit', sort: 'head' }))!;
    await rewriteTail(60, (attributes) => ({ ...attributes, by: 'somebody else' }));
    const moved = (await ledger.get(head))!;
    await put(moved, head.attributes);
    expect(await problems()).toEqual([[LINES, 'the end of the log is missing or was changed']]);
  });
});

describe('the check of the audit chain against its archive, which cannot be changed', {
  tags: ['DPFS01', 'I8'],
}, () => {
  beforeEach(async () => {
    expect(await deployment.runtime.audit.archive()).toBe(LINES);
    expect(await deployment.runtime.audit.archive()).toBe(0);
  });

  it('holds for an untouched log', async () => {
    expect(await problems()).toEqual([]);
  });

  it('shows a tail that was rewritten with its hashes and the head', async () => {
    await rewriteTail(60, (attributes) => ({ ...attributes, by: 'somebody else' }));
    const found = await problems();
    expect(found).toHaveLength(LINES - 59);
    expect(found[0]).toEqual([60, 'the line is another one than in the archive']);
  });

  it('shows an end that was cut off together with the head', async () => {
    await moveHead(LINES - 2);
    await remove(await line(LINES));
    await remove(await line(LINES - 1));
    expect(await problems()).toEqual([
      [LINES, `lines ${LINES - 1} to ${LINES} are in the archive and not in the log`],
    ]);
  });

  it('goes on where it ended, and holds what the log holds', async () => {
    await ledger.write(
      auditWrite({ event: 'order.closed', by: 'test', about: { order: 'ORD-1' } }, 'later', 2_000_000),
    );
    await deployment.runtime.audit.chain();
    expect(await deployment.runtime.audit.archive()).toBe(1);
    const archived: string[] = [];
    const { vault } = deployment.runtime.context;
    for await (const ref of vault.list('audit/')) archived.push(Buffer.from(await vault.get(ref)).toString());
    const lines: string[] = [];
    for await (const one of deployment.runtime.audit.lines())
      lines.push(`${canonicalJson(chainedLine.to(one))}\n`);
    expect(archived.join('')).toBe(lines.join(''));
    expect(await problems()).toEqual([]);
  });
});

describe('the check of the audit chain against the end that the PPK vault has', {
  tags: ['DPFS01', 'I8'],
}, () => {
  const audit = () => deployment.runtime.audit;
  const anchors = () => new HeadAnchors(deployment.runtime.context);
  const cutOff = async (from: number) => {
    await moveHead(from - 1);
    for (let at = LINES; at >= from; at--) await remove(await line(at));
  };

  it('holds for an untouched log, of which there is one end', async () => {
    expect(await problems(audit())).toEqual([]);
    expect(await anchors().all()).toEqual([await audit().head()]);
  });

  it('shows an end that was cut off together with the head, before it was archived', async () => {
    await cutOff(LINES - 1);
    expect(await problems()).toEqual([]);
    expect(await problems(audit())).toEqual([
      [LINES, `lines ${LINES - 1} to ${LINES} were cut off: the PPK vault has the later end`],
    ]);
  });

  it('shows a tail that was rewritten with its hashes and the head, before it was archived', async () => {
    await rewriteTail(LINES - 3, (changed) => ({ ...changed, by: 'somebody else' }));
    expect(await problems()).toEqual([]);
    expect(await problems(audit())).toEqual([[LINES, 'the line is another one than the PPK vault has']]);
  });

  it('goes on where a crash left an end before the last one behind', async () => {
    const { hash } = chainedLine.from(await line(100));
    await deployment.runtime.context.ppks.putPack(
      'audit-heads/0000000100',
      Buffer.from(JSON.stringify({ sequence: 100, hash, v: 1 })),
      [],
    );
    expect(await problems(audit())).toEqual([]);
  });

  it('takes the present end for the true one after a restore, which is a line of the log', async () => {
    await cutOff(LINES - 1);
    await audit().resetAnchors();
    expect(await problems(audit())).toEqual([]);
    expect(await anchors().all()).toEqual([await audit().head()]);
  });
});

describe('the ends of the audit log that the PPK vault has', { tags: ['I8', 'I10'] }, () => {
  let written = 0;
  /** More lines than one transaction takes. */
  const waiting = async () => {
    for (let i = 0; i < 50; i++)
      await ledger.write(
        auditWrite({ event: 'order.closed', by: 'test', about: { order: 'O' } }, `end-${++written}`, 3e6),
      );
  };
  const ends = async () => {
    const { ppks } = deployment.runtime.context;
    const names: string[] = [];
    for await (const name of ppks.names()) if (name.startsWith('audit-heads/')) names.push(name);
    return names;
  };
  const newest = async () => ppkAuditHead((await deployment.runtime.audit.head()).sequence);
  const findings = () => findingsOf(deployment.runtime, { stage: 'PPK vault', after: '' });
  const put = async (sequence: number, hash: string) => {
    const entry = JSON.stringify({ sequence, hash, v: 1 });
    await deployment.runtime.context.ppks.putPack(ppkAuditHead(sequence), Buffer.from(entry), []);
  };

  it('are one again with the next writer, wherever the one before has died', async () => {
    const { vault, ppks } = deployment.runtime.context;
    const now = Date.now;
    let deaths = 0;
    for (const when of ['before', 'after'] as const)
      for (let call = 1; ; call++) {
        await waiting();
        const life = new Life({ call, when });
        life.begun = true;
        const mortal = new AuditLog(life.wrap(ledger), vault, { ppks: life.wrap(ppks), now });
        await mortal.chain().catch((error: unknown) => expect(error).toBeInstanceOf(Death));
        if (!life.dead) break;
        deaths += 1;
        expect(await findings()).toEqual([]);
        await new AuditLog(ledger, vault, { ppks, now }).chain();
        expect(await ends(), `death ${when} call ${call}`).toEqual([await newest()]);
        // marks of the dead would stay for a quarter of an hour, and each would be a call more
        await deployment.runtime.audit.resetAnchors();
      }
    expect(await findings()).toEqual([]);
    expect(deaths).toBeGreaterThan(16);
  });

  it('are known by their marks for as long as the process that chained them may still write', async () => {
    const { vault, ppks } = deployment.runtime.context;
    let time = 0;
    const log = () => new AuditLog(ledger, vault, { ppks, now: () => time });
    await waiting();
    await log().chain();
    const { sequence: end } = await log().head();
    const isMarked = async () => {
      const { anchors } = auditHead.from((await ledger.get(ledgerKeys.auditHead))!);
      return anchors.some(({ sequence }) => sequence === end);
    };
    const other = log();
    for (const [minutes, kept] of [
      [1, true],
      [14, true],
      [16, true],
      [17, false],
    ] as const) {
      time = minutes * 60_000;
      await waiting();
      await other.chain();
      expect([minutes, await isMarked()]).toEqual([minutes, kept]);
    }
  });

  it('are named by a verification at once where no writer left them, whatever their number', async () => {
    const { hash } = chainedLine.from(await line(100));
    await put(100, hash);
    const where = 'PPK vault';
    const problem = 'no writer of the audit log left this end of it';
    const name = ppkAuditHead(100);
    expect(await findings()).toEqual([{ where, name, problem, repair: { destroyPack: name } }]);
  });

  it('are not removed by a repair where they may be all that tells of what was cut off', async () => {
    await put(LINES + 5, 'ab'.repeat(32));
    const [found, cutOff] = await findings();
    expect(found).toMatchObject({ where: 'PPK vault', name: ppkAuditHead(LINES + 5) });
    expect(found).not.toHaveProperty('repair');
    expect(cutOff).toMatchObject({ where: 'audit log', name: `line ${LINES + 5}` });
  });
});

describe('an audit line of an event that only a later release has', () => {
  const later = { event: 'moon.landed', by: 'test', about: { rocket: 'V' }, at: '2030-01-01T00:00:00.000Z' };

  beforeEach(async () => {
    await ledger.write({
      put: { partition: 'audit-pending##3', sort: '0000000001000#later' },
      attributes: waitingLine.to(later),
      when: 'absent',
    });
    await deployment.runtime.audit.chain();
  });

  it('is chained, verified and archived like any other', async () => {
    await deployment.runtime.audit.archive();
    expect(await problems()).toEqual([]);
  });

  it('is shown', async () => {
    const { lines } = await deployment.runtime.audit.getAuditLines({ from: LINES + 1, limit: 10 });
    expect(lines).toMatchObject([later]);
  });
});

describe('an audit line that cannot be read', () => {
  beforeEach(async () => {
    const item = await line(60);
    await put(item, { ...item.attributes, about: 'nothing' });
  });

  it('shows in the check, which goes on behind it', async () => {
    expect(await problems()).toEqual([
      [60, 'the line cannot be read'],
      [61, 'lines 60 to 60 are missing'],
    ]);
  });

  it('is not passed on', async () => {
    await expect(deployment.runtime.audit.getAuditLines({ from: 1, limit: LINES })).rejects.toThrow(
      'the item audit-line##12 / 0000000060 is no audit line record: it has text where an object is expected in the member `about`',
    );
  });
});
