import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedger } from '../../shared/ledger/open.ts';
import { runCli } from '../cli/support/cli.ts';
import { LONG } from '../support/effort.ts';
import { buildBoth, NEXT_RELEASE, nextSources, OLD_RELEASE } from './next-release.ts';

// Two releases on one folder, under load: docs/upgrades.md step by step. The next release is these sources with one record more
// of each kind in GROWN, and a table more in the ledger.

const EUICCS = 1_000;
/** Kinds of records of the ledger that have grown. */
const LOOKED_AT = ['job', 'chunk', 'order', 'eUICC'];
const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));

interface Answer {
  readonly code: number | null;
  readonly text: string;
}

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
  readonly ended: Promise<number | null>;
  readonly log: () => string;
}

it('a next release can be made of these sources', () => {
  expect(nextSources()).toContain('shared/service/records/job.ts');
});

describe.runIf(LONG)('the release after this one, on the same folder', () => {
  const home = mkdtempSync(join(tmpdir(), 'smdpf-upgrade-'));
  const folder = join(home, 'served');
  const running = new Set<Server>();
  let bundles: string;
  let old: string;
  let next: string;

  beforeAll(async () => {
    mkdirSync(CACHE, { recursive: true });
    bundles = mkdtempSync(join(CACHE, 'upgrade-'));
    ({ old, next } = await buildBoth(bundles));
  }, 120_000);

  afterAll(async () => {
    for (const server of running) server.process.kill('SIGKILL');
    await Promise.all([...running].map(({ ended }) => ended));
    for (const path of [home, bundles]) rmSync(path, { recursive: true, force: true });
  });

  /** A command of one of the two releases, to its end. */
  function command(release: string, ...args: readonly string[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [release, ...args]);
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, text }));
    });
  }

  async function done(release: string, ...args: readonly string[]): Promise<string> {
    const { code, text } = await command(release, ...args, '--folder', folder);
    expect(code, text).toBe(0);
    return text;
  }

  async function serve(release: string): Promise<Server> {
    const [port, fieldPort] = [await freePort(), await freePort()];
    const ports = ['--port', String(port), '--field-port', String(fieldPort)];
    const child = spawn(process.execPath, [
      release,
      'serve',
      '--folder',
      folder,
      '--sandbox',
      'p256',
      ...ports,
    ]);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const server = { process: child, url: `https://127.0.0.1:${port}`, ended, log: () => text };
    running.add(server);
    void ended.then(() => running.delete(server));
    while (!text.includes('stop with')) {
      if (child.exitCode !== null) throw new Error(text);
      await sleep(50);
    }
    return server;
  }

  async function stop(by: string, server: Server, release: string): Promise<void> {
    await done(by, 'stop', '--release', release);
    expect(await server.ended, server.log()).toBe(0);
  }

  /** Versions of the stored records of each kind that has grown. */
  async function versions(): Promise<Record<string, number[]>> {
    const ledger = await openLedger(`sqlite:${join(folder, 'ledger.sqlite')}`);
    const found: Record<string, Set<number>> = {
      job: new Set(),
      chunk: new Set(),
      order: new Set(),
      eUICC: new Set(),
    };
    try {
      let cursor: string | undefined;
      do {
        const walk = await ledger.walk(500, cursor);
        for (const { item } of walk.found) {
          const [room] = item?.partition.split('#') ?? [];
          const [name] = item?.sort.split('#') ?? [];
          const kind =
            name === 'head'
              ? { job: 'job', order: 'order', euicc: 'eUICC' }[room!]
              : room === 'job' && name === 'chunk'
                ? 'chunk'
                : undefined;
          if (kind !== undefined) found[kind]!.add(Number(item!.attributes.v));
        }
        cursor = walk.cursor;
      } while (cursor !== undefined);
    } finally {
      await ledger.close();
    }
    return Object.fromEntries(Object.entries(found).map(([kind, all]) => [kind, [...all].sort()]));
  }
  const allOf = (...all: number[]) => Object.fromEntries(LOOKED_AT.map((kind) => [kind, all]));

  it('works beside it, goes back, is activated, and is not undone after that', {
    timeout: 1_800_000,
  }, async () => {
    const first = await serve(old);
    for (const [party, role] of [
      ['2.999.40', 'eum'],
      ['2.999.50', 'deviceMaker'],
      ['2.999.60', 'operator'],
    ] as const)
      await done(old, 'party', 'add', party, '--role', role, '--issue');
    const at = (...parts: string[]) => join(home, ...parts);
    const as = (role: string, party: string) => [
      ...['--requester', party, '--tls-ca', join(folder, 'tls/ca.cert.pem')],
      ...['--tls-cert', join(folder, `tls/client-${role}-${party}.cert.pem`)],
      ...['--tls-key', join(folder, `tls/client-${role}-${party}.key.pem`)],
    ];
    const made = await runCli(
      'sim',
      'eum',
      'personalise',
      '--eum',
      join(folder, 'sandbox/p256'),
      '--count',
      String(EUICCS),
      '--keys',
      '1',
      '--device-maker',
      '2.999.50',
      '--out',
      at('production'),
    );
    expect(made.code, made.stderr).toBe(0);
    expect((await runCli('profile', 'template', '--test', '--out', at('profile.der'))).code).toBe(0);
    const registered = await runCli(
      'sim',
      'eum',
      'register',
      '--batch',
      at('production/euicc-data.der'),
      '--url',
      first.url,
      ...as('eum', '2.999.40'),
    );
    expect(registered.code, registered.stderr).toBe(0);

    // the load: whoever takes calls at the moment, in turn; what a server that is ending leaves unanswered is asked of the next
    let serving: readonly Server[] = [first];
    let turn = 0;
    const troubles: string[] = [];
    async function call(what: readonly string[], who: readonly string[], beginning = turn++): Promise<void> {
      for (let attempt = 0; attempt < 40; attempt++) {
        const server = serving[(beginning + attempt) % serving.length]!;
        const { code, stdout, stderr } = await runCli(...what, '--url', server.url, ...who);
        if (code === 0) return;
        if (serving.includes(server))
          troubles.push(
            `${what.slice(0, 3).join(' ')} at ${server === first ? 'old' : 'a'} server: ${stdout}${stderr}`,
          );
        await sleep(100);
      }
      throw new Error(`nobody answers ${what.join(' ')}: ${troubles.at(-1)}`);
    }
    const operator = as('operator', '2.999.60');
    const maker = as('deviceMaker', '2.999.50');
    let orders = 0;
    async function order(): Promise<string> {
      const id = `ORD-${orders++}`;
      const file = at(`${id}.json`);
      const iccidStart = `8933${String(orders).padStart(4, '0')}0000000000`;
      writeFileSync(
        file,
        JSON.stringify({
          orderId: id,
          profileType: 'test',
          quantity: 100,
          requesterDms: ['2.999.50'],
          eligibility: {},
          personalisation: { iccidStart },
          metadata: { serviceProviderName: 'Operator', profileName: 'Test', profileClass: 'test' },
        }),
      );
      await call(['sim', 'operator', 'order', '--order', file, '--template', at('profile.der')], operator);
      return id;
    }
    const eids = readdirSync(at('production/cards')).map((name) => name.replace('.json', ''));
    const batches: string[] = [];
    let requests = 0;
    async function request(orderId: string, quantity: number): Promise<void> {
      const number = requests++;
      const wanted = eids.splice(0, quantity);
      if (wanted.length < quantity) return;
      const list = at(`eids-${number}`);
      writeFileSync(list, wanted.join('\n'));
      const out = at(`batch-${number}.der`);
      const requestId = number.toString(16).padStart(8, '0');
      const what = [
        'sim',
        'device-maker',
        'request',
        '--order',
        orderId,
        '--eids',
        list,
        '--request-id',
        requestId,
      ];
      const beginning = turn++;
      await call([...what, '--out', out], maker, beginning);
      // the same at the other one: the same answer
      await call([...what, '--out', `${out}.again`], maker, beginning + 1);
      expect(
        readFileSync(`${out}.again`).equals(readFileSync(out)),
        `request ${number} at another server`,
      ).toBe(true);
      batches.push(out);
    }
    let isOver = false;
    async function client(quantities: readonly number[]): Promise<void> {
      let id = await order();
      let left = 100;
      for (let i = 0; !isOver && eids.length > 0; i++) {
        const quantity = quantities[i % quantities.length]!;
        if (left < quantity) {
          id = await order();
          left = 100;
        }
        await request(id, quantity);
        left -= quantity;
        await sleep(200);
      }
    }
    const load = Promise.all([client([1]), client([1, 9]), client([5, 1])]);
    load.catch(() => undefined);
    const answered = async (more: number) => {
      const until = batches.length + more;
      while (batches.length < until && eids.length > 0) await Promise.race([load, sleep(50)]);
      expect(eids.length, 'load to the end').toBeGreaterThan(0);
    };

    // the old release alone; then both
    await answered(5);
    let second = await serve(next);
    expect(second.log()).toContain('stored form 1 is in force');
    serving = [first, second];
    await answered(15);
    expect(await versions()).toEqual(allOf(1));
    const refused = await command(next, 'upgrade', 'activate', '--folder', folder);
    expect(refused.code).not.toBe(0);
    expect(refused.text).toContain(`release ${OLD_RELEASE}, which reads up to form 1, was at work`);

    // the new one alone, then back to the old one
    serving = [second];
    await stop(next, first, OLD_RELEASE);
    await answered(10);
    expect(await versions()).toEqual(allOf(1));
    const third = await serve(old);
    serving = [third];
    await stop(old, second, NEXT_RELEASE);
    await answered(10);
    expect(await done(old, 'verify')).toMatch(/nothing|no finding|ok|agree/i);

    // forward again, for good
    second = await serve(next);
    serving = [third, second];
    await answered(10);
    serving = [second];
    await stop(next, third, OLD_RELEASE);
    let activated = await command(next, 'upgrade', 'activate', '--folder', folder);
    while (activated.text.includes('was at work')) {
      await sleep(500);
      activated = await command(next, 'upgrade', 'activate', '--folder', folder);
    }
    expect(activated.text).toContain('form 2 is in force');
    await sleep(1_500);
    await order();
    await answered(10);
    expect(await versions()).toEqual(allOf(1, 2));

    // the old release is refused, with the way out, whatever it is asked to do; and nothing of it has changed anything
    for (const args of [
      ['serve', '--port', '1', '--field-port', '2'],
      ['verify'],
      ['status'],
      ['party', 'list'],
    ]) {
      const { code, text } = await command(old, ...args, '--folder', folder);
      expect(code, text).not.toBe(0);
      expect(text).toContain(`in stored form 2, which release ${NEXT_RELEASE} has activated`);
      expect(text).toContain(`run ${NEXT_RELEASE} or a later one`);
    }

    isOver = true;
    await load;
    expect(troubles).toEqual([]);
    await done(next, 'verify');

    // every package opens on its card, and the report is taken
    const loaded = await runCli(
      'sim',
      'factory',
      'load',
      ...batches.flatMap((batch) => ['--batch', batch]),
      '--cards',
      at('production/cards'),
      '--journal',
      at('line.jsonl'),
      '--report',
      at('report.der'),
    );
    expect(loaded.code, loaded.stdout + loaded.stderr).toBe(0);
    await call(['sim', 'device-maker', 'report', '--report', at('report.der')], maker);
    await stop(next, second, NEXT_RELEASE);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}
