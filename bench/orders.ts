import { createCipheriv, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compactDecrypt, importJWK, type JWK } from 'jose';
import type { KeyGenerator } from '../shared/keys/provider.ts';
import { ownTemplate } from '../shared/profile/package/template/own-profile.ts';
import { openRuntime, type Runtime } from '../shared/runtime.ts';
import type { RuntimeConfig } from '../shared/runtime-config.ts';
import type { Caller } from '../shared/service/api/caller.ts';
import type { OrderInput } from '../shared/service/api/es2f.ts';
import { preparedPacks } from '../shared/service/es2f/order-preparation.ts';
import type { ObjectRef } from '../shared/vault/vault.ts';
import { SecretScan } from './secret-scan.ts';

/**
 * Profiles from CSV through personalisation, audit, protection and storage, on one worker thread, with the secrets
 * drawn here and given back in output rows; beside the floor of encrypting as many octets with AES-128-CBC.
 *
 *   node bench/orders.ts [--count 20000] [--folder DIR] [--template UPP.der] [--kill-at 0.5] [--no-search] [--json]
 *
 * A first, small order starts the worker thread and has its code compiled: what that takes is told apart. With --template
 * another package than our own is personalised, as test profiles with ICCID, IMSI, K and OPc.
 *
 * With --kill-at the process kills itself when that part of the packs is made; the same command without it goes on
 * in the same folder. At the end K and OPc of every tenth profile are searched for in all files of the folder.
 *
 * Memory is that of the whole process, of both threads; the worker's heap is bounded, as in a server. What the collectors let lie until they have a reason grows
 * for a while after the start; what matters is whether the second half of the work needs more than the first.
 */
const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    folder: { type: 'string', default: join(tmpdir(), 'smdpf-bench-orders') },
    template: { type: 'string' },
    'kill-at': { type: 'string' },
    json: { type: 'boolean', default: false },
    'no-search': { type: 'boolean', default: false },
  },
});
const count = Number(options.count);
const { folder } = options;
const template = options.template === undefined ? ownTemplate() : readFileSync(options.template);
/** Who asks more often is what is measured. */
const ASK_MS = 250;
/** More than are made within the call. */
const FIRST = 2_000;
const orderId = 'BENCH-1';
const operator: Caller = { identifier: '2.999.60', role: 'operator', fingerprint: '00'.repeat(32) };
/** The Operator's own side: no part of what is searched. */
const operatorFile = `${folder}-operator.json`;

const config: RuntimeConfig = {
  deployment: 'bench',
  address: 'smdpf.example.com',
  ledger: `sqlite:${join(folder, 'ledger.sqlite')}`,
  vault: `file:${join(folder, 'vault')}`,
  ppks: `file:${join(folder, 'ppks')}`,
  keys: {
    wrapping: `softkey:path=${join(folder, 'keys', 'wrapping')}.key`,
    delivery: `softkey:path=${join(folder, 'keys', 'delivery')}.key`,
    passphrase: `file:${join(folder, 'keys', 'passphrase')}`,
  },
  workers: 1,
};
const fresh = !existsSync(folder);
if (fresh) {
  mkdirSync(join(folder, 'keys'), { recursive: true });
  writeFileSync(join(folder, 'keys', 'passphrase'), randomBytes(32).toString('hex'), { mode: 0o600 });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(operatorFile, JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600 });
}
const runtime = await openRuntime(config, {
  lanes: 'workers',
  log: ({ event, ...about }) => console.error(event, about),
});
if (fresh) {
  const provider = (await runtime.keys.provider(config.keys.wrapping)) as unknown as KeyGenerator;
  await provider.generate(config.keys.wrapping, 'aes-256', 'wrapping');
  await provider.generate(config.keys.delivery, 'ecdsa-p256', 'delivery');
}
const privateJwk = JSON.parse(readFileSync(operatorFile, 'utf8')) as JWK;

await run();
await runtime.close();

/** `prefix`: seven digits of the ICCIDs. */
async function orderOf(id: string, quantity: number, prefix: string): Promise<OrderInput> {
  const { d: _, ...outputKey } = privateJwk;
  const own = options.template === undefined;
  return {
    orderId: id,
    profileType: 'bench',
    quantity,
    requesterDms: ['2.999.50'],
    template,
    rows: await upload(id, quantity, prefix),
    personalisation: { format: 'csv', keys: 'generate', deriveIsim: own },
    eligibility: {},
    metadata: {
      serviceProviderName: 'Operator',
      profileName: 'Profile',
      profileClass: own ? 'operational' : 'test',
    },
    outputKey,
  };
}

/** Starts the worker thread; what that took of the processor, in seconds. */
async function start(): Promise<number> {
  const before = process.cpuUsage();
  const prefix = `89${String(Date.now() % 1e5).padStart(5, '0')}`;
  const order = await orderOf(`FIRST-${randomUUID()}`, FIRST, prefix);
  let { state } = await runtime.services.orders.prepareProfiles(operator, order);
  while (state === 'Preparing') {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ({ state } = await runtime.services.orders.prepareProfiles(operator, order));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function run(): Promise<void> {
  const before = await preparedPacks(runtime.context, orderId);
  const startSeconds = await start();
  const order = await orderOf(orderId, count, '8988211');
  const started = performance.now();
  const cpuStarted = process.cpuUsage();
  const killAt = Number(options['kill-at'] ?? Number.POSITIVE_INFINITY);
  /** Most octets of resident memory in each tenth of the way. */
  const memory: number[] = [];
  let answer = await runtime.services.orders.prepareProfiles(operator, order);
  while (answer.state === 'Preparing') {
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    answer = await runtime.services.orders.prepareProfiles(operator, order);
    const part = answer.prepared / count;
    const tenth = Math.min(9, Math.floor(part * 10));
    memory[tenth] = Math.max(memory[tenth] ?? 0, process.memoryUsage().rss);
    if (part >= killAt) {
      tell(`killed at ${answer.prepared}`, answer.prepared);
      process.kill(process.pid, 'SIGKILL');
    }
  }
  tell(answer.state, count);
  if (!options['no-search']) await search();

  function tell(what: string, prepared: number): void {
    const seconds = (performance.now() - started) / 1000;
    const cpu = process.cpuUsage(cpuStarted);
    const cpuSeconds = (cpu.user + cpu.system) / 1e6;
    const made = prepared - Math.min(prepared, before * runtime.context.settings.packSize);
    const perSecond = floor();
    if (options.json) {
      console.log(
        JSON.stringify({
          what,
          made,
          octets: template.length,
          startSeconds,
          seconds,
          cpuSeconds,
          floor: perSecond,
          memory,
        }),
      );
      return;
    }
    console.log(`the worker's start and its first ${FIRST} profiles: ${startSeconds.toFixed(1)} s of CPU`);
    console.log(`${what}: ${made} profiles in ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU`);
    console.log(
      `${(made / seconds).toFixed(0)} profiles/s, ${(made / cpuSeconds).toFixed(0)} per core second`,
    );
    console.log(`AES-128-CBC floor of as many octets: ${perSecond.toFixed(0)} profiles/s`);
    for (const [tenth, octets] of memory.entries())
      if (octets !== undefined)
        console.log(`resident memory up to ${tenth + 1}0 %: ${(octets / 2 ** 20).toFixed(0)} MiB`);
  }
}

/** The rows, brought as large ones are: into the vault before the order, as a stream. */
async function upload(id: string, quantity: number, prefix: string): Promise<ObjectRef> {
  const { vault } = runtime.context;
  const name = `bench/rows-${id}`;
  return (await vault.head(name)) ?? (await vault.putStream(name, csv(quantity, prefix)));
}

async function* csv(quantity: number, prefix: string): AsyncGenerator<Buffer> {
  yield Buffer.from('iccid,imsi');
  for (let n = 0; n < quantity; n++)
    yield Buffer.from(`\n${prefix}${String(n).padStart(11, '0')},26201${String(n).padStart(10, '0')}`);
}

/** Profiles a second of CPU time if nothing were done but to encrypt their octets once. */
function floor(): number {
  const octets = Buffer.alloc(Math.ceil(template.length / 16) * 16);
  const before = process.cpuUsage();
  let n = 0;
  for (const end = performance.now() + 1000; performance.now() < end; n++)
    createCipheriv('aes-128-cbc', randomBytes(16), randomBytes(16)).setAutoPadding(false).update(octets);
  const { user, system } = process.cpuUsage(before);
  return (n * 1e6) / (user + system);
}

/** Looks for every tenth K and OPc, in all the forms that they could have been left in. */
async function search(): Promise<void> {
  const secrets = await secretsOf(runtime);
  const scan = new SecretScan();
  for (const [i, secret] of secrets.entries()) scan.add(`secret ${i}`, secret);
  let octets = 0;
  let files = 0;
  let found = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = readFileSync(join(entry.parentPath, entry.name));
    octets += content.length;
    files += 1;
    found += scan.find(content).size;
  }
  console.error(
    `${secrets.length} secrets searched for in ${files} files of ${octets} octets: ${found} found`,
  );
  if (found > 0) process.exitCode = 1;
}

async function secretsOf({ services }: Runtime): Promise<Buffer[]> {
  const key = await importJWK(privateJwk, 'ECDH-ES+A256KW');
  const secrets: Buffer[] = [];
  let n = 0;
  for (let pack = 0, packs = 1; pack < packs; pack++) {
    const output = await services.orders.getOrderOutput(operator, { orderId, pack });
    packs = output.packs;
    const { plaintext } = await compactDecrypt(output.jwe, key);
    for (const line of Buffer.from(plaintext).toString().trimEnd().split('\n')) {
      if (n++ % 10 !== 0) continue;
      const { k, opc } = JSON.parse(line) as { k: string; opc: string };
      secrets.push(Buffer.from(k, 'hex'), Buffer.from(opc, 'hex'));
    }
  }
  return secrets;
}
