import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SigningKey } from '../../../shared/keys/registry.ts';
import type { Ledger, Write } from '../../../shared/ledger/ledger.ts';
import type { Context } from '../../../shared/service/context.ts';
import { bindChunk } from '../../../shared/service/esbpp/binding.ts';
import { tracePartition } from '../../../shared/service/records/keys.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, lanes: 'none', config: { chunkSize: 2 } });
});

afterAll(() => deployment?.close());

/** Of all their partitions. */
const TRACES = tracePartition('');

/** A ledger that notes when the trace of an attempt and the claims of its items were asked for and written. */
function noting(ledger: Ledger, notes: string[]): Ledger {
  const noted = async <Result>(what: string | undefined, done: Promise<Result>) => {
    if (what !== undefined) notes.push(`${what} asked for`);
    const result = await done;
    if (what !== undefined) notes.push(`${what} written`);
    return result;
  };
  const isTrace = (write: Write) => 'put' in write && write.put.partition.startsWith(TRACES);
  const write: Ledger['write'] = (one) => noted(isTrace(one) ? 'trace' : undefined, ledger.write(one));
  const writeMany: Ledger['writeMany'] = (all) => noted('claims', ledger.writeMany(all));
  return new Proxy(ledger, {
    get(target, name) {
      if (name === 'write') return write;
      if (name === 'writeMany') return writeMany;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

describe('binding a chunk', () => {
  it('asks for its trace and its claims in one turn, so that the embedded ledger flushes them together', async () => {
    const { runtime } = deployment;
    await prepare(deployment, 'ORD-1', 4);
    const euiccs = await registered(deployment, 4);
    const request = new Request(
      'ORD-1',
      euiccs.map(({ eid }) => ({ eid })),
    );
    await request.send(runtime);
    const notes: string[] = [];
    const context = { ...runtime.context, ledger: noting(runtime.context.ledger, notes) };
    await bindChunk(context, runtime.trust, request.jobId('test'), 0);
    expect(notes.slice(0, 2).sort()).toEqual(['claims asked for', 'trace asked for']);
    expect(notes.slice(2).sort()).toEqual(['claims written', 'trace written']);
  });
});

describe('two chunks that a process has under way', () => {
  const CHUNK = 20;
  let process: Deployment;
  beforeAll(async () => {
    process = await Deployment.create({ memory: true, lanes: 'none', config: { chunkSize: CHUNK } });
  });
  afterAll(() => process?.close());

  /** Binds both chunks of a new job, each with the key of the deployment as `signing` has it. */
  async function bindBoth(orderId: string, signing: (key: SigningKey, chunk: number) => SigningKey) {
    const { runtime } = process;
    await prepare(process, orderId, 2 * CHUNK);
    const euiccs = await registered(process, 2 * CHUNK);
    const request = new Request(
      orderId,
      euiccs.map(({ eid }) => ({ eid })),
    );
    await request.send(runtime);
    // neither signs before both have read what they bind
    const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const contextOf = (chunk: number): Context => {
      const binding = async (uri: string) => {
        arrived[chunk]!.resolve();
        await arrived[1 - chunk]!.promise;
        return signing(await runtime.context.keyRing.binding(uri), chunk);
      };
      const keyRing = Object.create(runtime.context.keyRing, { binding: { value: binding } });
      return { ...runtime.context, keyRing };
    };
    const bind = (chunk: number) => bindChunk(contextOf(chunk), runtime.trust, request.jobId('test'), chunk);
    return await Promise.all([bind(0), bind(1)]);
  }

  it('are bound one after the other where its own processor signs, and the event loop comes round meanwhile', async () => {
    const signed: number[] = [];
    const turnOf: number[] = [];
    let turns = 0;
    let done = false;
    const counting = (async () => {
      for (; !done; turns++) await setImmediate();
    })();
    const records = await bindBoth('TURNS-1', (key, chunk) => ({
      ...key,
      signSync: (digest) => {
        signed.push(chunk);
        turnOf.push(turns);
        return key.signSync!(digest);
      },
    }));
    done = true;
    await counting;
    expect(records.map(({ outcomes }) => outcomes.length)).toEqual([CHUNK, CHUNK]);
    expect(signed.length).toBe(2 * CHUNK);
    expect(signed.filter((chunk, i) => i > 0 && chunk !== signed[i - 1]).length).toBe(1);
    for (const first of [0, CHUNK]) expect(turnOf[first + CHUNK - 1]).toBeGreaterThan(turnOf[first]!);
  });

  it('have their signatures under way side by side where another signs', async () => {
    const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const records = await bindBoth('TURNS-2', ({ signSync, ...key }, chunk) => ({
      ...key,
      sign: async (digest, options) => {
        asked[chunk]!.resolve();
        await asked[1 - chunk]!.promise;
        return await key.sign(digest, options);
      },
    }));
    expect(records.map(({ outcomes }) => outcomes.length)).toEqual([CHUNK, CHUNK]);
  });
});
