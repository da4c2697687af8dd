import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { runCli } from '../cli/support/cli.ts';
import { SandboxFolder } from '../cli/support/sandbox-folder.ts';
import { LONG } from '../support/effort.ts';

/*
 * docs/audit.md: each question with the command that answers it and what that says of what the demo made, run here and held to the
 * page. UPDATE_DOCS=1 npx vitest run --mode long test/docs/audit.test.ts writes the answers anew. Without a demo, which takes its time,
 * those are asked whose answers are the same on any deployment.
 */

const PAGE = 'docs/audit.md';
const QUESTION = /^### (\d+)\. (.+)\n\n```console\n\$ smdpf (.+)\n([\s\S]*?)```$/gm;
/** Questions whose answers do not tell of orders and devices. */
const OF_ANY = [5, 6, 8];
/** Lines of an answer that the page shows. */
const LINES = 14;

interface Question {
  readonly number: number;
  readonly asks: string;
  readonly command: string;
  readonly answer: string;
}

const page = readFileSync(PAGE, 'utf8');
const questions: Question[] = [...page.matchAll(QUESTION)].map(([, number, asks, command, answer]) => ({
  number: Number(number),
  asks: asks!,
  command: command!,
  answer: answer!,
}));

let root: string;
let folder: string;
const path = (name: string) => join(root, name);
const run = (...args: string[]) => runCli(...args, '--folder', folder, '--json');

beforeAll(async () => {
  if (LONG) {
    root = await mkdtemp(join(tmpdir(), 'smdpf-audit-'));
    const demo = await runCli('demo', '--devices', '2', '--out', path('demo'), '--json');
    expect(demo.code).toBe(0);
    folder = join(path('demo'), 'smdpf');
  } else ({ root, folder } = await SandboxFolder.create());
  await twoAdministrators();
  const runtime = await (await DeploymentFolder.existing(folder)).openRuntime({ lanes: 'none' });
  const keys = await runtime.services.orders.getServerKeys({ role: 'operator' });
  await runtime.close();
  writeFileSync(path('server-keys.json'), JSON.stringify(keys));
}, 180_000);
afterAll(async () => {
  delete process.env.SMDPF_IDENTITY;
  await rm(root, { recursive: true, force: true });
});

/** What they did before the auditor came: another delivery key, the former one retired by both, an auditor of the network. */
async function twoAdministrators(): Promise<void> {
  for (const name of ['anna', 'ben']) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(path(`${name}.pem`), privateKey.export({ format: 'pem', type: 'pkcs8' }));
    writeFileSync(path(`${name}.pub`), publicKey.export({ format: 'pem', type: 'spki' }));
    await run('administrator', 'add', name, '--public-key', path(`${name}.pub`));
  }
  process.env.SMDPF_IDENTITY = path('anna.pem');
  await run('party', 'add', '2.999.70', '--role', 'auditor', '--issue');
  await run('keys', 'rotate', '--role', 'delivery', '--key', 'softkey:path=keys/delivery-2.key');
  await run('audit', 'archive');
  await run('audit', 'anchor', '--out', path('head.jws'));
  await run('approvals', 'policy', '--guard', 'key.retire', 'erase', 'trust.add', 'trust.remove');
  const asked = await run('keys', 'retire', '--key', 'softkey:path=keys/delivery.key');
  const { error } = asked.json<{ error: { subjectIdentifier: string } }>();
  process.env.SMDPF_IDENTITY = path('ben.pem');
  await run('approvals', 'approve', error.subjectIdentifier);
  process.env.SMDPF_IDENTITY = path('anna.pem');
  await run('keys', 'retire', '--key', 'softkey:path=keys/delivery.key');
}

/** What differs from one demo to the next is left out: times, hashes and random names, how long the log is, widths of tables. */
function steady(text: string): string {
  const lines = text
    .replaceAll(`${root}/`, '')
    .replaceAll(`${process.cwd()}/`, '')
    .replace(/\b[0-9a-f]{16,}\b/g, '…')
    .replace(/[\w-]{40,}(?:\.[\w-]{20,})+/g, '…')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '(time)')
    .replace(/\d{4}-\d\d-\d\d/g, '(date)')
    .replace(/\d+(?= (?:lines|things|by the (?:archive|PPK vault)|from outside))/g, '(n)')
    .replace(/(?<=\b(?:line|done|failed|upTo|number|objects of the vault)[ =] *)\d+/g, '(n)')
    .replace(/(?<=\b(?:smdpf|Node|OpenSSL|release) )\d+\.\d+\.\d+\b/g, '(version)')
    .replace(/^(@?[\w./-]+ +)\d+\.\d+\.\d+$|^\d+\.\d+\.\d+(?= +\d+ +\d+ s ago)/gm, '$1(version)')
    .replace(/\d+(?= s ago)/g, '(n)')
    .replace(/─+/g, '──')
    .replace(/ {2,}/g, '  ')
    // two events of one moment stand in either order
    .replace(/^ *\d+ {2}(?=\(time\))/gm, '(n)  ')
    .replace(/ +$/gm, '')
    .trimEnd()
    .split('\n');
  const ordered = inOneOrder(lines);
  return `${[...ordered.slice(0, LINES), ...(lines.length > LINES ? ['…'] : [])].join('\n')}\n`;
}

/** Rows that are put in the order of their text: parties are listed by fingerprint, lines and failures of one moment by chance. */
const UNORDERED = [/ valid until /, /^\(n\) {2}\(time\)/, /^ +1 {2}\w/];

function inOneOrder(lines: readonly string[]): string[] {
  const kindOf = (line: string) => UNORDERED.findIndex((kind) => kind.test(line));
  const sorted = UNORDERED.map((_, kind) => lines.filter((line) => kindOf(line) === kind).sort());
  return lines.map((line) => sorted[kindOf(line)]?.shift() ?? line);
}

async function answerOf({ command }: Question): Promise<string> {
  const args = command.split(' ').map((arg) => (arg.startsWith('@') ? path(arg.slice(1)) : arg));
  const own = /^(?:evidence|ceremony|statement) verify|^evidence (?:retention|software)/.test(command)
    ? []
    : ['--folder', folder];
  const { stdout, stderr } = await runCli(...args, ...own);
  return steady(stdout === '' ? stderr : stdout);
}

it('docs/audit.md asks thirty questions, numbered in their order', () => {
  expect(questions.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
});

it('docs/audit.md has the answer that the command of each question gives', {
  tags: ['EVIDENCE-PACK'],
}, async () => {
  const tried = LONG ? questions : questions.filter(({ number }) => OF_ANY.includes(number));
  let text = page;
  for (const question of tried) {
    const answer = await answerOf(question);
    if (process.env.UPDATE_DOCS === '1')
      text = text.replace(
        `$ smdpf ${question.command}\n${question.answer}\`\`\``,
        () => `$ smdpf ${question.command}\n${answer}\`\`\``,
      );
    else expect(answer, `${question.number}. ${question.asks}`).toBe(question.answer);
  }
  if (text !== page) writeFileSync(PAGE, text);
});
