import { createCipheriv, createDecipheriv } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bppBatchPrefix } from '../../../shared/ifpp-draft1/bpp-batch.ts';
import { openSoftkey, readSoftkeyFile } from '../../../shared/keys/softkey-file.ts';
import type { Write } from '../../../shared/ledger/ledger.ts';
import { openRuntime, type Runtime } from '../../../shared/runtime.ts';
import { LANE_PARTS } from '../../../shared/service/records/object-names.ts';
import { LANE_LENGTH } from '../../../shared/service/supply/lane-laying.ts';
import {
  decodeBppBatch,
  encodeLoadPackage,
  type PersonalisedEuicc,
  SoftEuicc,
  segmentBpp,
} from '../../../sim/index.ts';
import { readResult, sendCommands } from '../../sim/installer.ts';
import { count } from '../../support/counts.ts';
import { Deployment } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { PASSPHRASE } from '../../support/softkeys.ts';
import { operational, outcomesOf, prepare, Request, registered } from '../scenario.ts';

/** `SMDPF_TEST_LOST=10000 npx vitest run test/service/esbpp/lost-attempts.test.ts` */
const asked = process.env.SMDPF_TEST_LOST;
const ATTEMPTS = asked === undefined ? effort({ short: 24, long: 1_000 }) : Number(asked);
const ORDER = 'LOST';
/** Attempts of a call that are lost before one is committed, or killed: one call in `KILLED`. */
const LOST = 3;
const KILLED = 8;
const CALLS = Math.ceil(ATTEMPTS / LOST);
/** A bound for what hangs, on a machine that others share: preparing and binding take some 0.1 s an attempt on one core. */
const TIMEOUT = 600_000 + ATTEMPTS * 1_000;
/** Calls that are killed, each with an eUICC that may be bound all the same. */
const KILLS = Math.ceil((CALLS * 2) / KILLED);
/** Some calls take positions that a lane gave back: they go the way of batches, and lose nothing here. */
const EUICCS = 3 * CALLS + KILLS + 1;
const CONTROLS = 3;
/** A process that is killed leaves a lane behind, whose positions go to nobody here. */
const PROFILES = EUICCS + (Math.ceil(CALLS / KILLED) + 2) * LANE_LENGTH;

class Killed extends Error {}

/** How the attempts of a call end. */
interface Fate {
  /** So many are lost still. */
  lost: number;
  readonly kills: boolean;
  killed: boolean;
}

describe('a BPP of an attempt that was lost or killed opens for nobody (I2)', () => {
  let deployment: Deployment;
  let runtime: Runtime;
  let euiccs: readonly PersonalisedEuicc[];
  let fate: Fate;
  /** All parts that were ever written, whether they are there or not, and those of them that were committed. */
  const parts: Uint8Array[] = [];
  const committed: { readonly part: Uint8Array; readonly euicc: PersonalisedEuicc }[] = [];

  beforeAll(async () => {
    deployment = await Deployment.create({ memory: true, config: { packSize: 64 } });
    await prepare(deployment, ORDER, PROFILES, operational('898828000000000000').order);
    euiccs = await registered(deployment, EUICCS);
    const { config } = deployment;
    const { unguarded: context, keys } = deployment.runtime;
    const vault = changed(context.vault, {
      async put(name: string, body: Uint8Array) {
        if (fate.killed) throw new Killed();
        if (name.startsWith(LANE_PARTS)) parts.push(Uint8Array.from(body));
      },
      async remove() {
        // what a lost attempt has written may be read before it goes
        if (fate.killed) throw new Killed();
      },
    });
    const ledger = changed(context.ledger, {
      async transact(writes: readonly Write[]) {
        if (fate.killed) throw new Killed();
        const isCommit = writes.some((write) => 'put' in write && write.put.sort.startsWith('chunk#'));
        if (!isCommit) return undefined;
        if (fate.lost-- > 0) return { done: false, failed: new Map() };
        if (!fate.kills) return undefined;
        fate.killed = true;
        throw new Killed();
      },
      async write() {
        if (fate.killed) throw new Killed();
      },
    });
    fate = { lost: 0, kills: false, killed: false };
    runtime = await openRuntime(config, { stores: { ledger, vault, ppks: context.ppks }, keys });
  }, TIMEOUT);

  afterAll(() => deployment?.close());

  it(
    `of ${ATTEMPTS} of them none, with all that the stores hold and all keys of the server`,
    async () => {
      const waiting = [...euiccs];
      const goneOn: PersonalisedEuicc[] = [];
      let chain: Chain | undefined;
      for (let call = 0; parts.length - committed.length < ATTEMPTS; call++) {
        const euicc = waiting[0]!;
        fate = { lost: LOST, kills: call % KILLED === 0, killed: false };
        const answer = await new Request(ORDER, [{ eid: euicc.eid }])
          .send(runtime)
          .catch((error: unknown) => {
            if (error instanceof Killed) return undefined;
            throw error;
          });
        if (answer === undefined) continue;
        const outcomes = outcomesOf(answer);
        // of a call that was killed, work went on by itself, as in a server that starts again: that one was bound by it
        if (outcomes[0] === 'noNewBinding') {
          goneOn.push(euicc);
          waiting.shift();
          continue;
        }
        expect(outcomes).toEqual(['bound']);
        chain ??= decodeBppBatch(answer.bppBatch!).chains[0];
        committed.push({ part: parts.at(-1)!, euicc });
        waiting.shift();
        if (committed.length % 500 === 0) console.log(`${parts.length} parts written`);
      }
      const bound = new Set(committed.map(({ part }) => part));
      const lost = parts.filter((part) => !bound.has(part));
      expect(lost.length).toBeGreaterThanOrEqual(ATTEMPTS);
      console.log(`${lost.length} lost, ${committed.length} bound, ${goneOn.length} bound though killed`);
      count('attempts', lost.length);
      expect(goneOn.length).toBeLessThanOrEqual(KILLS);

      const candidates = byFirstOctets(await allKeys());
      // the control: what was committed opens by what the ledger has of it
      for (const [i, { part, euicc }] of committed.entries()) {
        const [element, ...others] = elementsOf(part, candidates);
        expect([element !== undefined, others.length]).toEqual([true, 0]);
        if (i < CONTROLS) expect(installs(element!, chain!, euicc)).toBe(true);
      }
      const victims = committed.map(({ euicc }) => euicc).slice(0, CONTROLS);
      for (const part of lost) {
        expect(elementsOf(part, candidates)).toEqual([]);
        for (const euicc of victims) expect(installs(part, chain!, euicc)).toBe(false);
      }
    },
    TIMEOUT,
  );

  /** Every value of 32 octets in ledger, vault and PPK vault, and the keys of the server. */
  async function allKeys(): Promise<Uint8Array[]> {
    const found = new Map<string, Uint8Array>();
    const add = (key: Uint8Array) => found.set(Buffer.from(key).toString('hex'), key);
    const search = (text: string) => {
      for (const [hex] of text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g))
        add(Buffer.from(hex, 'hex'));
      for (const [base64] of text.matchAll(/[A-Za-z0-9+/_-]{43}=?/g))
        add(Buffer.from(base64, 'base64').subarray(0, 32));
    };
    const { ledger, vault, ppks } = deployment.runtime.unguarded;
    const text = (_: string, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const walk = await ledger.walk(1_000, cursor);
      for (const { item } of walk.found) search(JSON.stringify(item, text));
      cursor = walk.cursor;
    }
    for await (const name of vault.names('')) {
      const ref = await vault.head(name);
      if (ref !== undefined && !name.startsWith(LANE_PARTS))
        search(Buffer.from(await vault.get(ref)).toString('latin1'));
    }
    for await (const name of ppks.names()) {
      const header = await ppks.header(name);
      for (let at = 0; header !== undefined && at + 32 <= header.length; at++)
        add(header.subarray(at, at + 32));
    }
    const folder = join(deployment.folder, 'keys');
    for (const file of await readdir(folder)) {
      const { secret } = await openSoftkey(
        await readSoftkeyFile(join(folder, file)),
        Buffer.from(PASSPHRASE),
      );
      for (let at = 0; at + 32 <= secret.length; at++) add(secret.subarray(at, at + 32));
    }
    return [...found.values()];
  }
});

/** A store whose methods do something before, and may answer in its place. */
function changed<Store extends object>(
  store: Store,
  before: { readonly [name: string]: (...args: never[]) => Promise<unknown> },
): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (name === 'close') return async () => undefined;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const first = before[String(name)];
        if (first === undefined) return Reflect.apply(member, target, args);
        return Reflect.apply(first, undefined, args).then(
          (answer: unknown) => answer ?? Reflect.apply(member, target, args),
        );
      };
    },
  });
}

const NONCE = Buffer.alloc(12);
const TAG = 16;
/** How the counter of GCM begins for the first octets (NIST SP 800-38D section 7.1). */
const FIRST_BLOCK = Buffer.concat([NONCE, Buffer.from('00000002', 'hex')]);
/** A BppItem: its tag, and that its length takes two octets. */
const BEGINS = 0x3082;

/** Keys by what they make of the first two octets: nearly all of them are ruled out by those. */
type Candidates = ReadonlyMap<number, readonly Uint8Array[]>;

function byFirstOctets(keys: Iterable<Uint8Array>): Candidates {
  const found = new Map<number, Uint8Array[]>();
  for (const key of keys) {
    const first = createCipheriv('aes-256-ctr', key, FIRST_BLOCK).update(Buffer.alloc(2)).readUInt16BE();
    const others = found.get(first);
    if (others === undefined) found.set(first, [key]);
    else others.push(key);
  }
  return found;
}

/** What a sealed part has in it, by each key that opens it. */
function elementsOf(part: Uint8Array, candidates: Candidates): Uint8Array[] {
  const keys = candidates.get(Buffer.from(part).readUInt16BE() ^ BEGINS) ?? [];
  return keys.flatMap((key) => {
    const end = part.length - TAG;
    const cipher = createDecipheriv('aes-256-gcm', key, NONCE).setAuthTag(part.subarray(end));
    try {
      return [Buffer.concat([cipher.update(part.subarray(0, end)), cipher.final()])];
    } catch {
      return [];
    }
  });
}

type Chain = ReturnType<typeof decodeBppBatch>['chains'][number];

/** Whether the soft eUICC takes what is said to be its BppItem. */
function installs(element: Uint8Array, chain: Chain, euicc: PersonalisedEuicc): boolean {
  try {
    const batch = Buffer.concat([bppBatchPrefix('00', [chain], element.length), element]);
    const item = decodeBppBatch(batch).items.find(({ eid }) => eid === euicc.eid);
    if (item?.bound === undefined) return false;
    const { bound } = item;
    const card = SoftEuicc.create(euicc);
    const commands = [encodeLoadPackage({ ...bound, chain }), ...segmentBpp(bound.bpp)];
    return readResult(sendCommands(card, commands), euicc.euiccCert) === 'installed';
  } catch {
    return false;
  }
}
