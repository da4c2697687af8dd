import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorDocument, runCli } from '../support/cli.ts';
import { Files } from './files.ts';
import { ON_THE_LINE } from './on-the-line.ts';
import { MISTAKES } from './table.ts';

const ALL = [...MISTAKES, ...ON_THE_LINE];

const files = new Files();
beforeAll(() => files.make());
afterAll(() => files.remove());

const written = (text: string) =>
  text
    .replaceAll(/@batch(?![\w./])/g, files.line.batchFile)
    .replaceAll(/@line(?![\w./])/g, files.line.cards(0))
    .replaceAll(/@(\S*)/g, (_, name: string) => files.at(name));

describe('what people do wrong', () => {
  it.each(ALL)('$line', async ({ line, code, says, wayOut }) => {
    const { code: exit, stderr } = await runCli(...written(line).split(' '));
    expect(stderr).toBe(
      `error: ${written(says).replaceAll('@/', `${files.folder}/`)}\n  way out: ${wayOut}\n`,
    );
    expect(exit).toBe(code);
  });

  it('are a hundred and ten at least, each with a way out, and none is a failure that the program does not know', () => {
    expect(ALL.length).toBeGreaterThanOrEqual(110);
    for (const { says, wayOut } of ALL) {
      expect(wayOut).not.toBe('');
      expect(wayOut).not.toContain('The rule behind it');
      expect(says).not.toMatch(/^internal/);
    }
  });
});

it('a port in use is told of with what to do', async () => {
  const { code, json } = await runCli(
    ...['serve', '--folder', files.at('served'), '--port', String(files.port), '--field-port', '0', '--json'],
  );
  expect(code).toBe(2);
  expect(json<ErrorDocument>().error).toMatchObject({
    message: `cannot listen on 127.0.0.1:${files.port}`,
    hint: 'Stop what has it (smdpf stop), or name another port.',
  });
});

describe('smdpf inspect reads JSON too', () => {
  it('says what an order lacks', async () => {
    const { stdout } = await runCli('inspect', files.at('order.json'));
    expect(stdout).toContain('order of profiles');
    expect(stdout).toContain('an order needs metadata, which is missing');
  });

  it('names a private key and never shows it', async () => {
    const { stdout } = await runCli('inspect', files.at('key.jwk'));
    expect(stdout).toMatch(/^d +\(not shown\)$/m);
    expect(stdout).toContain('thumbprint (RFC 7638): ');
  });

  it('shows the header and content of a JWS, and does not claim that it holds', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    files.write('statement.jws', `${part({ alg: 'ES256', typ: 'x' })}.${part({ eid: '89' })}.AAAA\n`);
    const { stdout } = await runCli('inspect', files.at('statement.jws'));
    expect(stdout).toMatch(/^header alg +ES256$/m);
    expect(stdout).toMatch(/^eid +89$/m);
    expect(stdout).toContain('not verified here');
  });
});
