import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../cli/support/cli.ts';
import { SandboxFolder } from '../cli/support/sandbox-folder.ts';
import { effort } from '../support/effort.ts';

/*
 * docs/audit.md: each question with the command that answers it and what that says of a sandbox, run here and held to the page.
 * UPDATE_DOCS=1 npx vitest run --mode long test/docs/audit.test.ts writes the answers anew.
 */

const PAGE = 'docs/audit.md';
const QUESTION = /^### (\d+)\. (.+)\n\n```console\n\$ smdpf (.+)\n([\s\S]*?)```$/gm;
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

let sandbox: SandboxFolder;
beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  for (const name of ['anna', 'ben']) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    await sandbox.file(`${name}.pem`, privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const pub = await sandbox.file(`${name}.pub`, publicKey.export({ format: 'pem', type: 'spki' }));
    await sandbox.run('administrator', 'add', name, '--public-key', pub);
  }
  process.env.SMDPF_IDENTITY = sandbox.path('anna.pem');
  await sandbox.run('party', 'add', '2.999.70', '--role', 'auditor', '--issue');
  await sandbox.run('keys', 'rotate', '--role', 'delivery', '--key', 'softkey:path=keys/delivery-2.key');
  await sandbox.run('audit', 'archive');
  await sandbox.run('audit', 'anchor', '--out', sandbox.path('head.jws'));
  await sandbox.run('approvals', 'policy', '--guard', 'key.retire', 'erase', 'trust.add', 'trust.remove');
  const asked = await sandbox.run('keys', 'retire', '--key', 'softkey:path=keys/delivery.key');
  const { error } = asked.json<{ error: { subjectIdentifier: string } }>();
  process.env.SMDPF_IDENTITY = sandbox.path('ben.pem');
  await sandbox.run('approvals', 'approve', error.subjectIdentifier);
  process.env.SMDPF_IDENTITY = sandbox.path('anna.pem');
  await sandbox.run('keys', 'retire', '--key', 'softkey:path=keys/delivery.key');
  const keys = await sandbox.withRuntime(({ services }) =>
    services.orders.getServerKeys({ role: 'operator' }),
  );
  await sandbox.file('server-keys.json', JSON.stringify(keys));
});
afterAll(async () => {
  delete process.env.SMDPF_IDENTITY;
  await sandbox?.remove();
});

/** What differs from one sandbox to the next is left out: times, hashes and random names, widths of tables. */
function steady(text: string): string {
  const lines = text
    .replaceAll(`${sandbox.root}/`, '')
    .replace(/\b[0-9a-f]{16,}\b/g, '…')
    .replace(/[\w-]{40,}(?:\.[\w-]{20,})+/g, '…')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)')
    .replace(/\d{4}-\d\d-\d\d/g, '(date)')
    .replace(/─+/g, '──')
    .replace(/ {2,}/g, '  ')
    // two events of one moment stand in either order
    .replace(/^ *\d+ {2}(?=\(time\))/gm, '(n)  ')
    .replace(/ +$/gm, '')
    .trimEnd()
    .split('\n');
  return `${[...lines.slice(0, LINES), ...(lines.length > LINES ? ['…'] : [])].join('\n')}\n`;
}

async function answerOf({ command }: Question): Promise<string> {
  const args = command.split(' ').map((arg) => (arg.startsWith('@') ? sandbox.path(arg.slice(1)) : arg));
  const own = /^(?:evidence|ceremony|statement) verify|conform|inspect/.test(command)
    ? []
    : ['--folder', sandbox.folder];
  const { stdout, stderr } = await runCli(...args, ...own);
  return steady(stdout === '' ? stderr : stdout);
}

it('docs/audit.md asks twenty questions, numbered in their order', () => {
  expect(questions.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});

it('docs/audit.md has the answer that the command of each question gives', {
  tags: ['EVIDENCE-PACK'],
}, async () => {
  const tried = questions.slice(0, effort({ short: 3, long: questions.length }));
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
