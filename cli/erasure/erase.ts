import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { utf8 } from '../../shared/codec/bytes.ts';
import { canonicalJson } from '../../shared/codec/canonical-json.ts';
import { keyFile } from '../../shared/keys/local-key.ts';
import { parseKeyUri } from '../../shared/keys/uri.ts';
import { present } from '../../shared/present.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { RuntimeConfig } from '../../shared/runtime-config.ts';
import type { Actor } from '../../shared/service/api/actor.ts';
import { actingIn, auditWrite } from '../../shared/service/audit/line.ts';
import { AuditLog } from '../../shared/service/audit/log.ts';
import { requireBegun } from '../../shared/service/dual-control/dual-control.ts';
import type { SigningContext } from '../../shared/service/keys/delivery-keys.ts';
import { longTermPublicKeys, longTermSignature } from '../../shared/service/keys/long-term.ts';
import { deliveryJwk, jwkOf, signedByDelivery } from '../../shared/service/keys/signed.ts';
import type { Who } from '../../shared/service/records/audit.ts';
import { partitions } from '../../shared/service/records/keys.ts';
import { destroyKey, type Erased } from './destroy-key.ts';
import { destroyLedger, destroyPpks } from './destroy-store.ts';

/** What an erasure found, did and looked at, in its order; signed before the key that signs it goes. */
export interface ErasureStatement {
  readonly deployment: string;
  readonly address: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  /** The person, and the second one where dual control asks for one. */
  readonly who?: Who;
  /** The end of the audit log, whose archive is kept. */
  readonly audit: { readonly sequence: number; readonly hash: string };
  readonly erased: readonly Erased[];
  /** What follows this statement, and cannot be in it. */
  readonly next: readonly string[];
}

export interface Erasure {
  readonly statement: ErasureStatement;
  /** Hexadecimal SHA-256 of the canonical statement. */
  readonly sha256: string;
  /** Compact JWS by the delivery key; absent where that is gone since an erasure that died. */
  readonly jws?: string;
  /** That verifies it. */
  readonly key?: Readonly<Record<string, unknown>>;
  /** A detached JWS (ML-DSA-65) over `jws`, and what verifies it, of a deployment that signs twice. */
  readonly longTermSignature?: string;
  readonly longTermKey?: Readonly<Record<string, unknown>>;
}

/** Counts of what an erasure would take, without taking it. */
export interface ErasurePlan {
  readonly deployment: string;
  readonly keys: readonly string[];
  /** Absolute paths of all files and folders that would be destroyed. */
  readonly paths: readonly string[];
  readonly objects: number;
  readonly openWork: number;
}

export async function planErasure(runtime: Runtime): Promise<ErasurePlan> {
  let objects = 0;
  for await (const _ of runtime.context.vault.names('')) objects += 1;
  const keys = await keyUris(runtime);
  return {
    deployment: runtime.config.deployment,
    keys,
    paths: erasedPaths(runtime.config, keys),
    objects,
    openWork: (await runtime.context.ledger.query(partitions.openWork, { limit: 1_000 })).items.length,
  };
}

/**
 * Removes an Operator: freezes the ledger, closes and archives the audit log, then destroys what opens anything first
 * (PPKs, keys), what is only data after it. Locked objects stay until their retention ends: they hold identifiers
 * and hashes. Every step may be repeated; `write` keeps the statement before the last steps, which cannot be in it.
 */
export async function erase(
  runtime: Runtime,
  by: Actor,
  write: (erasure: Erasure) => Promise<void>,
  note: (erased: Erased) => void = () => undefined,
): Promise<Erasure> {
  const { unguarded: context, standing, config } = runtime;
  await requireBegun(context.ledger, { action: 'erase', subject: config.deployment }, by);
  await standing.freeze('the deployment is being erased');
  const audit = await closeAudit(context, by);
  const delivery = await context.keyAssignments.current('delivery');
  const longTerm = (await context.keyAssignments.find('longTerm'))?.uri;
  const signing = [delivery, ...(longTerm === undefined ? [] : [longTerm])];
  // gone where an erasure died after its statement
  const signs = await deliveryJwk(context).catch(() => undefined);
  const erased: Erased[] = [];
  const done = (one: Erased) => {
    erased.push(one);
    note(one);
  };
  done(await destroyPpks(config.ppks));
  for (const uri of await keyUris(runtime))
    if (!signing.includes(uri)) done(await destroyKey(uri, config.keys.folder));
  for (const one of await emptyVault(runtime)) done(one);
  const statement: ErasureStatement = {
    deployment: config.deployment,
    address: config.address,
    at: new Date(context.now()).toISOString(),
    ...actingIn(by),
    audit,
    erased,
    next: [`ledger ${config.ledger}`, ...signing.map((uri) => `key ${uri}, which signs this statement`)],
  };
  const erasure: Erasure = {
    statement,
    sha256: createHash('sha256').update(canonicalJson(statement)).digest('hex'),
    ...(signs !== undefined && (await signedTwice(context, statement, signs))),
  };
  await write(erasure);
  await runtime.close();
  for (const uri of signing) note(await destroyKey(uri, config.keys.folder));
  note(await destroyLedger(config.ledger));
  return erasure;
}

async function signedTwice(
  context: SigningContext,
  statement: ErasureStatement,
  key: Readonly<Record<string, unknown>>,
): Promise<Pick<Erasure, 'jws' | 'key' | 'longTermSignature' | 'longTermKey'>> {
  const jws = await signedByDelivery(context, 'smdpf-erasure+jws', statement);
  const longTermSignatureText = await longTermSignature(context, utf8(jws));
  const [spki] = await longTermPublicKeys(context);
  return {
    jws,
    key,
    ...present({
      longTermSignature: longTermSignatureText,
      longTermKey: spki && jwkOf(spki, 'sig', 'ML-DSA-65'),
    }),
  };
}

/** Where stores and keys lie that are files of this machine: absolute paths, without the names of others for them. */
function erasedPaths({ ledger, vault, ppks, keys: { folder } }: RuntimeConfig, keys: readonly string[]) {
  const stores = [ledger, vault, ppks].flatMap((uri) => /^(?:sqlite|file):(.+)$/.exec(uri)?.[1] ?? []);
  const files = keys.flatMap((uri) => {
    const parsed = parseKeyUri(uri);
    return parsed.scheme === 'softkey' ? [keyFile(parsed.path, present({ folder }))] : [];
  });
  return [...stores, ...files].map(realPath);
}

/** What links lead to, also of a path that is gone already: links above it count all the same. */
function realPath(path: string): string {
  const absolute = resolve(path);
  if (existsSync(absolute)) return realpathSync(absolute);
  const above = dirname(absolute);
  return above === absolute ? absolute : join(realPath(above), basename(absolute));
}

async function closeAudit(context: Runtime['context'], by: Actor) {
  const { ledger, vault, now } = context;
  await ledger.write(auditWrite({ event: 'deployment.erased', by, about: {} }, 'deployment-erased', now()));
  const audit = new AuditLog(ledger, vault);
  await audit.chain();
  await audit.archive();
  return await audit.head();
}

/** Wrapping, delivery and binding keys, the former ones too, and the one for what is encrypted to us. */
async function keyUris({ keyInventory, config }: Runtime): Promise<readonly string[]> {
  const { intake } = config.keys;
  const listed = (await keyInventory.list()).map(({ uri }) => uri);
  return [...new Set([...listed, ...(intake === undefined ? [] : [intake])])];
}

/** Removes every version that is not locked, and looks what is left. */
async function emptyVault({ context: { vault } }: Runtime): Promise<readonly Erased[]> {
  let removed = 0;
  const kept = new Map<string, number>();
  const names: string[] = [];
  for await (const name of vault.names('')) names.push(name);
  for (const name of names) {
    await vault.remove(name);
    if ((await vault.head(name)) === undefined) removed += 1;
    else {
      const folder = name.split('/')[0]!;
      kept.set(folder, (kept.get(folder) ?? 0) + 1);
    }
  }
  const checked = 'every name looked up again';
  return [
    { what: 'vault: objects', state: 'erased', count: removed, checked },
    ...[...kept].map(
      ([folder, count]): Erased => ({
        what: `vault: ${folder}/`,
        state: 'kept',
        count,
        checked: 'locked until their retention ends; identifiers and hashes, no keys and no profiles',
      }),
    ),
  ];
}
