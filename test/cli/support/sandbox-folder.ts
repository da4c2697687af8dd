import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { DeploymentFolder } from '../../../cli/deployment/folder.ts';
import { openSandbox, SANDBOX_EUM } from '../../../cli/deployment/sandbox.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { type SimCi, SimEum } from '../../../sim/index.ts';
import { caller } from '../../support/deployment.ts';
import { type CliResult, type ErrorDocument, runCli } from './cli.ts';

export const SANDBOX_EUM_CALLER = caller(SANDBOX_EUM, 'eum');

/** A deployment folder as `smdpf serve --sandbox p256` makes it, for commands that work on one. */
export class SandboxFolder {
  /** Holds the deployment and the files of a test. */
  readonly root: string;
  readonly ci: SimCi;
  readonly eum: SimEum;

  private constructor(root: string, ci: SimCi, eum: SimEum) {
    this.root = root;
    this.ci = ci;
    this.eum = eum;
  }

  static async create(): Promise<SandboxFolder> {
    const root = await mkdtemp(join(tmpdir(), 'smdpf-cli-'));
    const deployment = await DeploymentFolder.open(join(root, 'op'));
    const runtime = await deployment.openRuntime({ lanes: 'none' });
    const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
    await runtime.audit.chain();
    await runtime.close();
    return new SandboxFolder(root, ci, new SimEum({ ca: eumCa, ci: ci.certificate }));
  }

  get folder(): string {
    return join(this.root, 'op');
  }

  path(name: string): string {
    return join(this.root, name);
  }

  async file(name: string, content: Uint8Array | string): Promise<string> {
    await writeFile(this.path(name), content);
    return this.path(name);
  }

  /** A command on this deployment, with --json. */
  run(...args: readonly string[]): Promise<CliResult> {
    return runCli(...args, '--folder', this.folder, '--json');
  }

  /** The error of a command that is refused, which says the way out. */
  async refused(...args: readonly string[]): Promise<ErrorDocument['error']> {
    const { code, json } = await this.run(...args);
    const { error } = json<ErrorDocument>();
    expect(code).toBe(error.exitCode);
    expect(error.hint).not.toBe('');
    return error;
  }

  /** What a running server would do beside the commands. */
  async withRuntime<Answer>(work: (runtime: Runtime) => Promise<Answer>): Promise<Answer> {
    const runtime = await (await DeploymentFolder.open(this.folder)).openRuntime({ lanes: 'inline' });
    try {
      return await work(runtime);
    } finally {
      await runtime.close();
    }
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}
