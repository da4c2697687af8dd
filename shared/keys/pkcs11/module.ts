import { createRequire } from 'node:module';
import type * as Pkcs11Js from 'pkcs11js';
import { Fault } from '../../errors.ts';

/** The addon: its constants, and the Cryptoki functions of one loaded library. */
export interface Cryptoki {
  readonly constants: typeof Pkcs11Js;
  readonly library: Pkcs11Js.PKCS11;
}

/** C_Initialize counts for the whole process, so a library is loaded once however many providers use it. */
const loaded = new Map<string, Cryptoki>();

/**
 * Loads the optional addon pkcs11js and the PKCS#11 library at `modulePath`. Both are needed only where a pkcs11
 * URI is used; a missing one is a Fault('configuration') that says what to do.
 */
export function loadCryptoki(modulePath: string): Cryptoki {
  const known = loaded.get(modulePath);
  if (known !== undefined) return initialized(known);
  const constants = loadAddon();
  const library = new constants.PKCS11();
  try {
    library.load(modulePath);
  } catch (cause) {
    throw new Fault('configuration', `the PKCS#11 library ${modulePath} cannot be loaded`, { cause });
  }
  const cryptoki = initialized({ constants, library });
  loaded.set(modulePath, cryptoki);
  return cryptoki;
}

/** Calls come from several threads of Node's pool, so the library must lock for itself. */
function initialized(cryptoki: Cryptoki): Cryptoki {
  const { constants, library } = cryptoki;
  try {
    library.C_Initialize({ flags: constants.CKF_OS_LOCKING_OK });
  } catch (cause) {
    if (ckr(cause) !== constants.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
      throw new Fault('keyProvider', `C_Initialize failed: ${ckrName(cause)}`, { cause });
    }
  }
  return cryptoki;
}

function loadAddon(): typeof Pkcs11Js {
  // require, not import: bundlers for Lambda must not follow it to the native addon
  const require = createRequire(import.meta.url);
  try {
    return require('pkcs11js') as typeof Pkcs11Js;
  } catch (cause) {
    const absent = (cause as Error).message.includes("'pkcs11js'");
    throw new Fault(
      'configuration',
      absent
        ? 'pkcs11 keys need the optional package pkcs11js beside smdpf: see docs/keys.md, "PKCS#11"'
        : 'pkcs11 keys need the addon of pkcs11js, which is compiled on demand: see docs/keys.md, "PKCS#11"',
      { cause },
    );
  }
}

/** The CKR_ number of what pkcs11js threw, or undefined where it did not come from the library. */
export function ckr(error: unknown): number | undefined {
  if (!(error instanceof Error) || !error.message.startsWith('CKR_')) return undefined;
  const { code } = error as Error & { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/** `CKR_…`; nothing else of the error, so that no message quotes an input. */
export function ckrName(error: unknown): string {
  return /CKR_[A-Z0-9_]+/.exec(error instanceof Error ? error.message : '')?.[0] ?? 'unknown error';
}
