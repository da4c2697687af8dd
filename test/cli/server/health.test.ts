import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diskTrial, HealthCheck } from '../../../cli/server/health.ts';
import { startServer } from '../../../cli/server/server.ts';
import { httpsSend } from '../../support/https-send.ts';
import { memoryServices } from '../../support/memory-services.ts';
import { selfSigned } from '../../support/self-signed.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smdpf-health-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const failing = (code: string) => () => Promise.reject(Object.assign(new Error('at /secret/path'), { code }));

describe('the health of the stores', () => {
  it('is ok where each can be written, and leaves nothing there', async () => {
    const stores = {
      ledger: diskTrial(`sqlite:${join(folder, 'ledger.sqlite')}`),
      vault: diskTrial(`file:${folder}`),
    };
    const health = await new HealthCheck(stores, () => 0).ask();
    expect(health).toEqual({ status: 'ok', stores: { ledger: 'ok', vault: 'ok' } });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['ENOSPC', 'EIO', 'EROFS'])('names the store that is ill with %s, and no path', async (code) => {
    const stores = { ledger: async () => undefined, vault: failing(code) };
    expect(await new HealthCheck(stores, () => 0).ask()).toEqual({
      status: 'ill',
      stores: { ledger: 'ok', vault: code },
    });
  });

  it('is ill where the folder of a store is gone', async () => {
    const stores = { vault: diskTrial(`file:${join(folder, 'gone')}`), ppks: failing('not a system code') };
    expect(await new HealthCheck(stores, () => 0).ask()).toEqual({
      status: 'ill',
      stores: { vault: 'ENOENT', ppks: 'failed' },
    });
  });

  it('is looked at once in five seconds, however many ask', async () => {
    let looks = 0;
    const look = async () => {
      looks += 1;
    };
    let now = 0;
    const check = new HealthCheck({ vault: look }, () => now);
    await Promise.all(Array.from({ length: 50 }, () => check.ask()));
    now = 4_999;
    await check.ask();
    expect(looks).toBe(1);
    now = 5_000;
    await check.ask();
    expect(looks).toBe(2);
  });

  it('is 503 at /health of both ports while a store is ill', async () => {
    const tls = selfSigned('smdpf');
    const server = await startServer({
      services: memoryServices(),
      tls,
      listen: { host: '127.0.0.1', port: 0 },
      field: { port: 0 },
      stores: { vault: failing('ENOSPC') },
      vault: { openTransfer: () => expect.unreachable('no transfer is asked for') },
      log: () => undefined,
    });
    try {
      for (const url of Object.values(server.urls)) {
        const answer = await httpsSend(tls, `${url}/health`);
        expect(answer.status).toBe(503);
        expect(answer.headers['retry-after']).toBe('5');
        expect(JSON.parse(answer.body.toString())).toEqual({ status: 'ill', stores: { vault: 'ENOSPC' } });
      }
    } finally {
      await server.close();
    }
  });
});
