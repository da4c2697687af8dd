import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { SoftEuicc } from '../../sim/euicc.ts';
import { decodeProfileLoadingReport } from '../../sim/ifpp-draft1.ts';
import { Line } from './line.ts';
import { VirtualCard } from './virtual-card.ts';

/**
 * Against pcscd and vsmartcard's virtual reader, which .ci/pcsc.sh starts: SMDPF_TEST_PCSC is the command of a station that finds the
 * package `smartcard`, its words separated by spaces. Skipped everywhere else: the reader's TCP ports are of the whole machine.
 */
const PROGRAM = process.env.SMDPF_TEST_PCSC?.split(' ');
interface Answer {
  readonly error?: { readonly message: string };
  readonly toLoad?: readonly { readonly eid: string }[];
  readonly installed?: number;
}

/** The two slots of the reader. */
const PORTS = [0x8c7b, 0x8c7c];

describe.skipIf(PROGRAM === undefined)('a station with PC/SC readers', () => {
  const line = new Line(1, 3);
  const eids = line.stations[0]!;
  const cards: VirtualCard[] = [];
  afterEach(() => {
    for (const card of cards.splice(0)) card.remove();
  });
  afterAll(() => line.remove());

  async function insert(eid: string, slot: number): Promise<VirtualCard> {
    const card = await VirtualCard.insert(SoftEuicc.open(line.card(0, eid)), PORTS[slot]!);
    cards.push(card);
    return card;
  }

  /** The service takes a moment until it sees what was put in or taken out. */
  async function load(name: string, ...more: readonly string[]) {
    await sleep(2_000);
    const [file, ...first] = PROGRAM!;
    const args = ['station', 'load', '--batch', line.batchFile, '--readers', 'Virtual', '--json'];
    const outputs = ['--journal', line.file(`${name}.jsonl`), '--report', line.file(`${name}.der`)];
    const { stdout } = await promisify(execFile)(file!, [...first, ...args, ...outputs, ...more]).catch(
      (error: { stdout: string }) => error,
    );
    return JSON.parse(stdout) as Answer;
  }

  it('says that no reader holds an eUICC where they are empty', async () => {
    const { error } = await load('empty');
    expect(error).toMatchObject({ code: 'configuration', exitCode: 2 });
    expect(error?.message).toContain('no reader holds an eUICC');
  });

  it('loads the eUICCs that lie in two readers, and reports these', async () => {
    const first = await insert(eids[0]!, 0);
    await insert(eids[1]!, 1);
    const looked = await load('two', '--dry-run');
    expect(looked.toLoad?.map(({ eid }) => eid)).toEqual([eids[0], eids[1]]);
    expect(await load('two')).toMatchObject({ devices: 2, packages: 2, installed: 2, elsewhere: 1 });
    expect(first.resets).toBeGreaterThan(0);
    const { items } = decodeProfileLoadingReport(readFileSync(line.file('two.der')));
    expect(items.map((item) => 'euiccResult' in item)).toEqual([true, true]);
    for (const eid of eids.slice(0, 2))
      expect(SoftEuicc.open(line.card(0, eid)).installedIccids).toHaveLength(1);
  });

  it('goes on with the next device where the journal ended, with the APDUs on request', async () => {
    await insert(eids[2]!, 1);
    const apdus = line.file('apdus.log');
    expect(await load('two', '--apdu-log', apdus)).toMatchObject({ devices: 1, packages: 3, installed: 3 });
    expect(readFileSync(apdus, 'utf8')).toMatch(new RegExp(`${eids[2]} > 80e2`));
  });
});
