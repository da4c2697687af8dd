import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { processIo } from '../../../cli/output/process-io.ts';
import { run } from '../../../cli/program.ts';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as the one JSON document that it has to be. */
  readonly json: <T = Record<string, never>>() => T;
}

const LAUNCHER = fileURLToPath(new URL('../../../cli/smdpf.mjs', import.meta.url));

/** The command as a process of its own. */
export function spawnCli(
  args: readonly string[],
  options: { readonly node?: string; readonly env?: Record<string, string> } = {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.node ?? process.execPath, [LAUNCHER, ...args], {
      env: { ...process.env, ...options.env },
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve(resultOf(code, Buffer.concat(out).toString('utf8'), Buffer.concat(err).toString('utf8'))),
    );
  });
}

/** The same command line in this process, where a test runs it hundreds of times. */
export function runCli(...args: readonly string[]): Promise<CliResult> {
  return runCliIn({}, ...args);
}

/** The same with variables of the environment. */
export async function runCliIn(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<CliResult> {
  let out = '';
  let err = '';
  const io = processIo({
    argv: args,
    env,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  const code = await run(args, io);
  return resultOf(code, out, err);
}

function resultOf(code: number | null, stdout: string, stderr: string): CliResult {
  return { code, stdout, stderr, json: <T>() => JSON.parse(stdout) as T };
}

export interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly subjectCode?: string;
    readonly reasonCode?: string;
    readonly subjectIdentifier?: string;
    readonly offset?: number;
    readonly message: string;
    readonly hint: string;
    readonly exitCode: number;
  };
}
