import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { processIo } from '../../cli/output/process-io.ts';
import { run } from '../../cli/program.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { Folder } from './support/binding-bench.ts';

const SMDPF = fileURLToPath(new URL('../../cli/smdpf.mjs', import.meta.url));
const EID = '89049032123451234512345678901235';
const folder = new Folder();
const at = (...parts: string[]) => join(folder.path, ...parts);

afterAll(() => folder.remove());

describe('--wait', () => {
  let fake: Server | undefined;
  afterEach(() => fake?.close());

  /** A server that gives these answers one after the other, the last one for ever; a number is an HTTP status alone, a text none. */
  async function answering(...answers: (object | number | 'broken off')[]) {
    const paths: string[] = [];
    const bodies: string[] = [];
    fake = createServer((request, response) => {
      paths.push(request.url!.split('/').at(-1)!);
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => {
        bodies.push(body);
        const answer = answers[Math.min(paths.length, answers.length) - 1]!;
        const header = { functionExecutionStatus: { status: 'Executed-Success' } };
        if (answer === 'broken off') request.socket.destroy();
        else if (typeof answer === 'number') response.writeHead(answer).end();
        else response.end(JSON.stringify({ header, ...answer }));
      });
    });
    await new Promise<void>((resolve) => fake!.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(fake.address() as AddressInfo).port}`, paths, bodies };
  }

  /** A command whose stderr is a terminal. */
  async function onTerminal(...args: string[]) {
    let [stdout, stderr] = ['', ''];
    const io = processIo({
      argv: args,
      env: {},
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { isTTY: true, columns: 80, write: (text: string) => (stderr += text) },
    });
    const clock = Date.now();
    let asked = 0;
    // each look at the clock is more than half a second later
    const at = { value: () => new Date(clock + 600 * asked++) };
    return { code: await run(args, Object.create(io, { now: at })), stdout, stderr };
  }

  const pending = (accepted: number) => ({
    state: 'Pending',
    batchId: '0A',
    entries: 40,
    accepted,
    rejectedCount: 0,
    rejected: [],
  });
  const batch = () => folder.write('any.der', Buffer.from('ff6000', 'hex'));

  it('asks until the work is done, over a server that is busy, and draws a bar', async () => {
    const rejected = [
      { index: 7, eid: '89', subjectCode: '8.1', reasonCode: '3.9', message: 'no such thing' },
    ];
    const done = { ...pending(39), state: 'Done', rejectedCount: 1, rejected };
    const { url, paths } = await answering(pending(0), pending(20), pending(20), 503, done);
    const { code, stdout, stderr } = await onTerminal('register', batch(), '--url', url, '--wait');
    expect(code).toBe(0);
    expect(paths).toEqual(Array(5).fill('registerEuiccData'));
    // a line about waiting stands by itself, and not behind the bar
    expect(stderr).toContain('\r\x1b[KHTTP 503; again in');
    expect(stderr).toMatch(/eUICC data █+░+ 20\/40/);
    expect(stdout).toMatch(/^accepted +39$/m);
    expect(stdout).toMatch(/^7 +89 +8\.1\/3\.9 +no such thing$/m);
  });

  it('begins the work over a server that is busy, with the same octets, and says why it waits', async () => {
    folder.write('eids.txt', `${EID}\n`);
    const { url, paths, bodies } = await answering(503, 'broken off', {
      state: 'Done',
      items: 1,
      processed: 1,
    });
    const args = ['request', 'send', '--order', 'O', '--eids', at('eids.txt'), '--url', url, '--wait'];
    const { code, stderr } = await onTerminal(...args);
    expect([code, paths]).toEqual([0, Array(3).fill('requestBpp')]);
    expect(new Set(bodies).size).toBe(1);
    expect(stderr).toMatch(/^HTTP 503; again in \d\.\d s$/m);
  });

  it('is ended by an interrupt while it waits to begin', async () => {
    folder.write('eids.txt', `${EID}\n`);
    const { url, paths } = await answering(503);
    const args = ['request', 'send', '--order', 'O', '--eids', at('eids.txt'), '--url', url];
    const child = spawn(process.execPath, [SMDPF, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(child, 'exit');
    let said = '';
    for await (const piece of child.stderr) {
      said += String(piece);
      if (said.includes('again in')) break;
    }
    child.kill('SIGINT');
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(paths.length).toBeGreaterThan(0);
  });

  it('is not needed to know that work goes on', async () => {
    const { url, paths } = await answering(pending(0));
    const { code, stdout } = await onTerminal('register', batch(), '--url', url);
    expect([code, paths.length]).toEqual([0, 1]);
    expect(stdout).toContain('it goes on by itself');
    // a count of nothing would read as the result
    expect(stdout).toMatch(/^state +Pending$/m);
    expect(stdout).toMatch(/^so far +0 of 40$/m);
    expect(stdout).not.toMatch(/accepted|rejected/);
  });

  it('ends where it takes longer than it may, and says how far the work is', async () => {
    const { url } = await answering(pending(10));
    const args = ['register', batch(), '--url', url, '--wait', '--timeout', '1'];
    const { code, stderr } = await onTerminal(...args);
    expect(code).not.toBe(0);
    expect(stderr).toContain('10 of 40 after 1 s; it goes on');
  });

  it.each([
    ['close', 'closeOrder'],
    ['cancel', 'cancelOrder'],
  ])('follows what the end of an order leaves to be done: %s', async (command, called) => {
    const order = { orderId: 'ORD-1', quantity: 9_000, prepared: 9_000, state: 'Closed' };
    const { url, paths } = await answering(
      { closed: 8_999 },
      { ...order, closing: { done: 2, of: 9 } },
      503,
      { ...order, closing: { done: 7, of: 9 } },
      { ...order, counts: { Closed: 8_999, Installed: 1 } },
    );
    const { code, stdout, stderr } = await onTerminal('order', command, 'ORD-1', '--url', url, '--wait');
    expect(code).toBe(0);
    expect(paths).toEqual([called, ...Array(4).fill('getOrderStatus')]);
    expect(stderr).toMatch(/closing █+░+ 2\/9/);
    expect(stdout).toMatch(command === 'close' ? /^closed +8999$/m : /^state +Closed$/m);
  });

  it('does not ask how far an end is that was refused', async () => {
    const header = { functionExecutionStatus: { status: 'Failed', statusCodeData: { message: 'no' } } };
    const { url, paths } = await answering({ header });
    const { code } = await onTerminal('order', 'close', 'ORD-1', '--url', url, '--wait');
    expect([code, paths]).toEqual([1, ['closeOrder']]);
  });

  it('follows an order by its status, and tells why it was rejected', async () => {
    const order = { orderId: 'ORD-1', quantity: 40, prepared: 10, state: 'Preparing' };
    const { url, paths } = await answering(
      order,
      { ...order, prepared: 20 },
      { ...order, state: 'Rejected', reason: { message: 'row 7' } },
    );
    folder.write('order.json', '{"orderId":"ORD-1"}');
    folder.write('template.der', ownTemplate());
    const files = ['--order', at('order.json'), '--template', at('template.der')];
    const { stdout } = await onTerminal('order', 'place', ...files, '--url', url, '--wait');
    expect(paths).toEqual(['prepareProfiles', 'getOrderStatus', 'getOrderStatus']);
    expect(stdout).toMatch(/^state +Rejected$/m);
    expect(stdout).toMatch(/row 7/);
  });
});
