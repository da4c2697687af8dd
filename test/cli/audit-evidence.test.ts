import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CompactSign, compactVerify, generateKeyPair, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './support/cli.ts';
import { SandboxFolder } from './support/sandbox-folder.ts';

let sandbox: SandboxFolder;
beforeAll(async () => {
  sandbox = await SandboxFolder.create();
});
afterAll(() => sandbox?.remove());

interface Verdict {
  readonly holds: boolean;
  readonly head: { readonly sequence: number };
  readonly problems: readonly { readonly problem: string }[];
  readonly cannotKnow: readonly string[];
  readonly tail: { readonly outside?: number };
}

const verdict = async (...args: string[]) => (await sandbox.run('audit', 'verify', ...args)).json<Verdict>();

/** Changes `runtime` of the configuration for as long as the work takes. */
async function configured<T>(members: object, work: () => Promise<T>): Promise<T> {
  const file = join(sandbox.folder, 'config.json');
  const before = readFileSync(file, 'utf8');
  const config = JSON.parse(before) as { runtime: object };
  writeFileSync(file, JSON.stringify({ ...config, runtime: { ...config.runtime, ...members } }));
  try {
    return await work();
  } finally {
    writeFileSync(file, before);
  }
}

/** The folder as it was, in the place of what it has become: every store of it together. */
async function rolledBack<T>(change: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  const backup = sandbox.path('before');
  const after = sandbox.path('after');
  cpSync(sandbox.folder, backup, { recursive: true });
  await change();
  const put = (from: string) => {
    rmSync(sandbox.folder, { recursive: true });
    cpSync(from, sandbox.folder, { recursive: true });
  };
  cpSync(sandbox.folder, after, { recursive: true });
  put(backup);
  try {
    return await work();
  } finally {
    put(after);
    for (const folder of [backup, after]) rmSync(folder, { recursive: true });
  }
}

const addParty = (name: string) => sandbox.run('party', 'add', name, '--role', 'auditor', '--issue');

describe('all stores put back together to an earlier moment', { tags: ['DPFS01', 'I8'] }, () => {
  it('are not found out by themselves, and the command says that it cannot know', async () => {
    const found = await rolledBack(
      () => addParty('later'),
      () => verdict(),
    );
    expect(found).toMatchObject({ holds: true, cannotKnow: [expect.stringContaining('all stores')] });
  });

  it('are found out by a statement that somebody kept', async () => {
    const statement = sandbox.path('head.jws');
    const change = async () => {
      await addParty('later-2');
      await sandbox.run('audit', 'anchor', '--out', statement);
    };
    const found = await rolledBack(change, () => verdict('--anchor', statement));
    expect(found.holds).toBe(false);
    expect(found.problems[0]?.problem).toMatch(/were cut off: the statement .*head\.jws has the later end/);
    const now = await verdict('--anchor', statement);
    expect(now).toMatchObject({ holds: true, tail: { outside: now.head.sequence }, cannotKnow: [] });
  });

  it('are found out by the store outside that the configuration names', async () => {
    await configured({ auditAnchor: `file:${sandbox.path('elsewhere')}` }, async () => {
      const change = async () => {
        await addParty('later-3');
        expect((await sandbox.run('audit', 'anchor')).json()).toMatchObject({ kept: true });
      };
      const found = await rolledBack(change, () => verdict());
      expect(found).toMatchObject({ holds: false });
      expect(await verdict()).toMatchObject({ holds: true, cannotKnow: [] });
    });
  });

  it('takes no word of another: a statement that another key has signed, or one that was changed', async () => {
    const own = sandbox.path('own.jws');
    await sandbox.run('audit', 'anchor', '--out', own);
    const [head, payload, signature] = readFileSync(own, 'latin1').trim().split('.') as [
      string,
      string,
      string,
    ];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sequence: number };
    const later = { ...claims, sequence: 1000 };
    const longer = Buffer.from(JSON.stringify(later)).toString('base64url');
    const changed = await sandbox.file('changed.jws', [head, longer, signature].join('.'));
    const { privateKey } = await generateKeyPair('ES256');
    const foreign = await sandbox.file(
      'foreign.jws',
      await new CompactSign(Buffer.from(JSON.stringify(later)))
        .setProtectedHeader({ alg: 'ES256', typ: 'smdpf-audit-head+jws' })
        .sign(privateKey),
    );
    const { stderr, json } = await sandbox.run('audit', 'verify', '--anchor', foreign, '--anchor', changed);
    expect(json<Verdict>()).toMatchObject({ holds: true });
    expect(stderr.match(/vouches for nothing/g)).toHaveLength(2);
  });
});

describe('filters', () => {
  const lines = async (...args: string[]) =>
    (await sandbox.run('audit', 'show', ...args)).json<{ lines: { event: string; by: string }[] }>().lines;

  it('give the lines of an event, of what begins so, of a person, of a time, of a thing', async () => {
    await addParty('2.999.77');
    const events = (found: readonly { event: string }[]) => new Set(found.map(({ event }) => event));
    expect(events(await lines('--event', 'party.added'))).toEqual(new Set(['party.added']));
    for (const event of events(await lines('--event', 'trust'))) expect(event).toMatch(/^trust\./);
    expect(await lines('--about', '2.999.77')).toMatchObject([{ event: 'party.added' }]);
    expect(await lines('--about', '2.999.7')).toEqual([]);
    expect(await lines('--person', 'nobody of this name')).toEqual([]);
    expect(await lines('--by', 'sandbox', '--event', 'trust')).not.toEqual([]);
    expect(await lines('--since', '2999-01-01')).toEqual([]);
    expect((await lines('--until', '2999-01-01T00:00:00Z', '--last', '2')).length).toBe(2);
  });

  it('are refused where they could find nothing', async () => {
    for (const args of [
      ['--event', 'party.aded'],
      ['--since', 'yesterday'],
      ['--since', '2026-11-27T10:00'],
    ])
      expect((await sandbox.run('audit', 'show', ...args)).code, args.join(' ')).toBe(2);
  });
});

describe('a signed export', { tags: ['DPFS01'] }, () => {
  it('is verified by another library, and says what was asked for and where the log ends', async () => {
    const [out, statement] = [sandbox.path('lines.jsonl'), sandbox.path('lines.jws')];
    await sandbox.run('audit', 'export', '--out', out, '--statement', statement, '--event', 'party');
    const jwk = await sandbox.withRuntime(async ({ services }) => {
      const { deliveryKeys } = await services.orders.getServerKeys({ role: 'operator' });
      return deliveryKeys[0]!;
    });
    const key = await importJWK({ ...jwk }, 'ES256');
    const { payload } = await compactVerify(readFileSync(statement, 'latin1').trim(), key);
    const claims = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
    const file = readFileSync(out);
    expect(claims).toMatchObject({
      sha256: createHash('sha256').update(file).digest('hex'),
      lines: file.toString().trimEnd().split('\n').length,
      filter: { event: ['party'] },
      head: { sequence: expect.any(Number) },
    });
  });
});

/** A clock that answers by SNTP, this far ahead of this machine's. */
async function clock(aheadMs: number, answers = true): Promise<{ port: number; socket: Socket }> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { port, address }) => {
    if (!answers) return;
    const answer = Buffer.alloc(48);
    answer[0] = 0x24;
    answer[1] = 2;
    request.copy(answer, 24, 40, 48);
    const at = Date.now() + aheadMs;
    for (const place of [32, 40]) {
      answer.writeUInt32BE(Math.floor(at / 1000) + 2_208_988_800, place);
      answer.writeUInt32BE(Math.floor(((at % 1000) / 1000) * 2 ** 32), place + 4);
    }
    socket.send(answer, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, socket };
}

describe('the clock that the log takes its times from', { tags: ['DPFS01'] }, () => {
  it('is compared with another one, and what was found is in the log', async () => {
    const { port, socket } = await clock(90_000);
    try {
      const found = await configured({ timeSource: `sntp:127.0.0.1:${port}` }, () =>
        sandbox.run('audit', 'clock'),
      );
      const { aheadMs } = found.json<{ aheadMs: number }>();
      expect(aheadMs).toBeGreaterThan(-92_000);
      expect(aheadMs).toBeLessThan(-88_000);
    } finally {
      socket.close();
    }
    const shown = await sandbox.run('audit', 'show', '--event', 'clock.compared');
    expect(shown.json<{ lines: object[] }>().lines).toMatchObject([
      { by: 'server', about: { source: expect.stringMatching(/^sntp:127/), aheadMs: expect.any(Number) } },
    ]);
  });

  it('is not compared where no time source is named, and the command says so', async () => {
    const { code, stdout } = await runCli('audit', 'clock', '--folder', sandbox.folder, '--json');
    expect(code).toBe(2);
    expect(stdout).toContain('timeSource');
  });
});
