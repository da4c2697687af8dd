import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { readSingleTlv } from '../../../shared/codec/tlv.ts';
import type { Ledger, Write } from '../../../shared/ledger/ledger.ts';
import { bindChunk } from '../../../shared/service/esbpp/binding.ts';
import { traceStripes } from '../../../shared/service/records/keys.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, lanes: 'none', config: { chunkSize: 2 } });
});

afterAll(() => deployment?.close());

/** A ledger that notes when the trace of an attempt and the claims of its items were asked for and written. */
function noting(ledger: Ledger, notes: string[]): Ledger {
  const noted = async <Result>(what: string | undefined, done: Promise<Result>) => {
    if (what !== undefined) notes.push(`${what} asked for`);
    const result = await done;
    if (what !== undefined) notes.push(`${what} written`);
    return result;
  };
  const isTrace = (write: Write) => 'put' in write && traceStripes.includes(write.put.partition);
  const write: Ledger['write'] = (one) => noted(isTrace(one) ? 'trace' : undefined, ledger.write(one));
  const writeMany: Ledger['writeMany'] = (all) => noted('claims', ledger.writeMany(all));
  return new Proxy(ledger, {
    get(target, name) {
      if (name === 'write') return write;
      if (name === 'writeMany') return writeMany;
      return bound(target, name);
    },
  });
}

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name, target);
  return typeof member === 'function' ? member.bind(target) : member;
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

  it('knows where each item of its part stands, though it gives back what it has read', async () => {
    const { runtime } = deployment;
    await prepare(deployment, 'ORD-2', 4);
    const request = new Request(
      'ORD-2',
      (await registered(deployment, 4)).map(({ eid }) => ({ eid })),
    );
    await request.send(runtime);
    const { vault } = runtime.context;
    const read: Bytes[] = [];
    const get: typeof vault.get = async (ref, range) => {
      const octets = Uint8Array.from(await vault.get(ref, range));
      read.push(octets);
      return octets;
    };
    const watched = new Proxy(vault, {
      get: (target, name) => (name === 'get' ? get : bound(target, name)),
    });
    const context = { ...runtime.context, vault: watched };
    const { part, offsets } = await bindChunk(context, runtime.trust, request.jobId('test'), 0);
    expect(read.some(({ length }) => length === 0)).toBe(true);
    const octets = await vault.get(part);
    const items = offsets.slice(1).map((end, i) => octets.subarray(offsets[i], end));
    expect(items.map((item) => readSingleTlv(item).tag)).toEqual([0x30, 0x30]);
    expect(offsets.at(-1)).toBe(part.size);
  });
});
