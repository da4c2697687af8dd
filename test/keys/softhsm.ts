import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** SoftHSM2 as Debian packages it (`apt-get install softhsm2`), or where SMDPF_TEST_PKCS11_MODULE says. */
const MODULE = process.env.SMDPF_TEST_PKCS11_MODULE ?? '/usr/lib/softhsm/libsofthsm2.so';
const TOKEN = 'smdpf test';
const PIN = '73519';

export interface SoftHsm {
  readonly unavailable: string | undefined;
  readonly modulePath: string;
  readonly folder: string;
  readonly pin: string;
  uri(object: string): string;
  remove(): void;
}

/**
 * A fresh token in a folder of its own. SoftHSM2 reads SOFTHSM2_CONF when it is first loaded, and vitest runs each
 * test file in a process of its own, so the token is this file's alone.
 */
export function freshSoftHsm(): SoftHsm {
  const unavailable = reasonAgainst();
  const folder = mkdtempSync(join(tmpdir(), 'softhsm-'));
  if (unavailable === undefined) {
    const configuration = join(folder, 'softhsm2.conf');
    mkdirSync(join(folder, 'tokens'));
    writeFileSync(configuration, `directories.tokendir = ${folder}/tokens\nlog.level = ERROR\n`);
    writeFileSync(join(folder, 'pin'), `${PIN}\n`, { mode: 0o600 });
    process.env.SOFTHSM2_CONF = configuration;
    const options = ['--init-token', '--free', '--label', TOKEN, '--so-pin', '864201', '--pin', PIN];
    execFileSync('softhsm2-util', options, { stdio: 'pipe' });
  }
  return {
    unavailable,
    modulePath: MODULE,
    folder,
    pin: PIN,
    uri: (object) =>
      `pkcs11:token=${encodeURIComponent(TOKEN)};object=${object}?module-path=${MODULE}&pin-source=file:${folder}/pin`,
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function reasonAgainst(): string | undefined {
  if (!existsSync(MODULE)) return `no PKCS#11 library at ${MODULE}: apt-get install softhsm2`;
  try {
    createRequire(import.meta.url)('pkcs11js');
  } catch {
    return 'the addon of pkcs11js is not built: see docs/keys.md, "PKCS#11"';
  }
  return undefined;
}
