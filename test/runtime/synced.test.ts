import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepare, Request, registered } from '../service/scenario.ts';
import { Deployment } from '../support/deployment.ts';
import { effort } from '../support/effort.ts';
import { traceSkipReason } from './traced-writes.ts';

const REQUESTS = effort({ short: 4, long: 40 });
const SCRIPT = fileURLToPath(new URL('./answering.ts', import.meta.url));

/** What was written by the time of an answer, and what of it was not on the medium yet. Paths below the deployment. */
interface AtAnswer {
  readonly line: string;
  readonly written: readonly string[];
  readonly unsynced: readonly string[];
}

/**
 * Follows the calls of all threads in the order in which they happened. A sync holds what was written before it began, and
 * counts once it has ended.
 */
function followed(trace: string, folder: string): AtAnswer[] {
  const answers: AtAnswer[] = [];
  /** By path: the call that wrote last, and the call up to which all is on the medium. */
  const files = new Map<string, { wrote: number; synced: number }>();
  let written = new Set<string>();
  const begun = new Map<string, { name: string; path: string; at: number; text: string }>();
  const ended = (
    { name, path, at, text }: { name: string; path: string; at: number; text: string },
    now: number,
  ) => {
    const line = /"(asked|answered) (\d+)/.exec(text);
    if (line?.[1] === 'asked') written = new Set();
    if (line?.[1] === 'answered') {
      const unsynced = [...files].filter(([, { wrote, synced }]) => wrote > synced).map(([file]) => file);
      answers.push({ line: line[0].slice(1), written: [...written], unsynced });
    }
    // the index of a write-ahead log is made again from it (https://sqlite.org/walformat.html, section 2)
    if (!path.startsWith(folder) || path.endsWith('-shm')) return;
    const file = path.slice(folder.length + 1);
    const known = files.get(file) ?? { wrote: -1, synced: -1 };
    if (name.includes('sync')) files.set(file, { ...known, synced: Math.max(known.synced, at) });
    else {
      files.set(file, { ...known, wrote: now });
      written.add(file);
    }
  };
  for (const [now, line] of trace.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const [, name, path] = /^(\w+)\(\d+<([^>]*)>/.exec(rest) ?? [];
    if (name !== undefined && path !== undefined) {
      const call = { name, path, at: now, text: rest };
      if (rest.endsWith('<unfinished ...>')) begun.set(thread, call);
      else ended(call, now);
    } else if (/^<\.\.\. \w+ resumed>/.test(rest)) {
      const call = begun.get(thread);
      begun.delete(thread);
      if (call !== undefined) ended(call, now);
    }
  }
  return answers;
}

describe.skipIf(traceSkipReason !== '')(
  `what a just-in-time answer leans on is on the medium before it goes out (I3, I5, I9)${traceSkipReason}`,
  () => {
    let deployment: Deployment;
    let answers: AtAnswer[];

    beforeAll(async () => {
      deployment = await Deployment.create({ config: { workers: 0 } });
      await prepare(deployment, 'SYNCED', REQUESTS + 40);
      const euiccs = await registered(deployment, REQUESTS);
      const requests = euiccs.map(({ eid }) =>
        Buffer.from(new Request('SYNCED', [{ eid }]).der).toString('base64'),
      );
      await deployment.runtime.close();
      const folder = mkdtempSync(join(tmpdir(), 'smdpf-synced-'));
      try {
        const file = (name: string) => join(folder, name);
        writeFileSync(file('config'), JSON.stringify(deployment.config));
        writeFileSync(file('requests'), JSON.stringify(requests));
        const calls = 'write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync';
        // libuv does without the ring, whose entries strace does not see
        const options = [
          '-f',
          '-y',
          '-s',
          '32',
          '-e',
          `trace=${calls}`,
          '-e',
          'inject=?io_uring_setup:error=ENOSYS',
        ];
        const { status } = spawnSync(
          'strace',
          [...options, '-o', file('trace'), process.execPath, SCRIPT, file('config'), file('requests')],
          { stdio: ['ignore', 'ignore', 'ignore'] },
        );
        expect(status).toBe(0);
        answers = followed(readFileSync(file('trace'), 'latin1'), deployment.folder);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }, 120_000);
    afterAll(() => rmSync(deployment.folder, { recursive: true, force: true }));

    it('part and locked record, transaction, and the end of the PPK', () => {
      expect(answers.map(({ line }) => line)).toEqual(
        Array.from({ length: REQUESTS }, (_, i) => `answered ${i}`),
      );
      for (const { line, written, unsynced } of answers) {
        expect(written, line).toContain('ledger.sqlite-wal');
        expect(written, line).toContain('vault/small-objects.sqlite-wal');
        expect(
          written.some((file) => file.startsWith('ppks/packs/')),
          line,
        ).toBe(true);
        expect(unsynced, line).toEqual([]);
      }
    });
  },
);
