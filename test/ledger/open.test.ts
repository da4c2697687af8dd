import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { DynamoDbLedger } from '../../shared/ledger/dynamodb.ts';
import { openLedger } from '../../shared/ledger/open.ts';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-open-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('ledger URIs', () => {
  it('choose the adapter', async () => {
    for (const uri of [`sqlite:${join(folder, 'ledger')}`, 'SQLite::memory:']) {
      const ledger = await openLedger(uri);
      expect(ledger).toBeInstanceOf(SqliteLedger);
      await ledger.close();
    }
    const ledger = await openLedger('dynamodb:table');
    expect(ledger).toBeInstanceOf(DynamoDbLedger);
    await ledger.close();
  });

  it.each(['', 'sqlite', 'sqlite:', 'postgres:db', '/a/path', ':memory:'])(
    '"%s" is a configuration Fault',
    async (uri) => {
      await expect(openLedger(uri)).rejects.toMatchObject({ code: 'configuration' });
    },
  );

  it('the embedded adapters load no cloud SDK', async () => {
    const [ledger, vault] = ['ledger', 'vault'].map(
      (room) => new URL(`../../shared/${room}/open.ts`, import.meta.url),
    );
    const code = `
      import { registerHooks } from 'node:module';
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier.startsWith('@aws-sdk') || specifier.startsWith('@smithy')) throw new Error(specifier);
          return next(specifier, context);
        },
      });
      const { openLedger } = await import(${JSON.stringify(ledger)});
      const { openVault, openPpkVault } = await import(${JSON.stringify(vault)});
      const folder = ${JSON.stringify(folder)};
      await openLedger('sqlite:' + folder + '/embedded');
      await openVault('file:' + folder + '/v', { baseUrl: 'http://localhost', transferSecret: new Uint8Array(32) });
      await openPpkVault('file:' + folder + '/k');
      await openLedger('dynamodb:table').catch(({ message }) => console.log(message));`;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code]);
    expect(stdout).toContain('@aws-sdk/client-dynamodb');
  });
});
