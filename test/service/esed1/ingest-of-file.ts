import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire, Module } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DeploymentFolder } from '../../../cli/deployment/folder.ts';
import { SANDBOX_EUM } from '../../../cli/deployment/sandbox.ts';
import { P256 } from '../../../shared/crypto/curves.ts';
import { directVerifierOf } from '../../../shared/crypto/direct-verification.ts';
import { fixedBaseOf } from '../../../shared/crypto/fixed-base-verification.ts';

/** Ingests the batch in a file into a deployment, with the optional package koffi or as if it were not installed. */
const [folder, batch, koffi] = process.argv.slice(2) as [string, string, 'with' | 'without'];
if (koffi === 'without') hideKoffi();

const deployment = await DeploymentFolder.open(folder);
const runtime = await deployment.openRuntime({ lanes: 'none' });
const answer = await runtime.services.ingest.registerEuiccData(
  { identifier: SANDBOX_EUM, role: 'eum', fingerprint: '' },
  await readFile(batch),
);
await runtime.close();
const facts = { ...P256, openSslName: P256.openSslName! };
const verifies = { direct: directVerifierOf(facts) !== undefined, table: fixedBaseOf(facts) !== undefined };
console.log(JSON.stringify({ answer, state: recordsOf(join(folder, 'ledger.sqlite')), verifies }));

/** All that is stored of eUICCs and their keys, and what each slice came to; how many rows, and their octets' SHA-256. */
function recordsOf(ledgerFile: string) {
  const database = new DatabaseSync(ledgerFile, { readOnly: true });
  const rows = database
    .prepare(
      "SELECT * FROM item WHERE partition LIKE 'euicc%' OR partition LIKE 'otpk#%' OR (partition LIKE 'ingest#%' AND sort <> 'head') ORDER BY partition, sort",
    )
    .all();
  database.close();
  return { rows: rows.length, sha256: hash('sha256', JSON.stringify(rows)) };
}

function hideKoffi(): void {
  const hooks = Module as unknown as { _resolveFilename: (name: string, ...more: unknown[]) => string };
  const resolve = hooks._resolveFilename;
  hooks._resolveFilename = (name, ...more) => {
    if (name === 'koffi') throw new Error("Cannot find module 'koffi'");
    return resolve(name, ...more);
  };
  let isHidden = false;
  try {
    createRequire(import.meta.url)('koffi');
  } catch {
    isHidden = true;
  }
  if (!isHidden) throw new Error('koffi is still there');
}
