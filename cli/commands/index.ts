import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';

/**
 * Each command's file registers it, with `program.command(…)`. Actions may be async and throw: `run` turns what they
 * throw into the answer and the exit code.
 */
export type Register = (program: Command, io: CliIo) => void;

/**
 * By name, in the order of `smdpf --help`. A command is loaded when it is named, so that looking at a file does not
 * wait for the server's libraries.
 */
export const COMMANDS: ReadonlyMap<string, () => Promise<Register>> = new Map([
  ['demo', async () => (await import('./demo.ts')).registerDemo],
  ['serve', async () => (await import('./serve.ts')).registerServe],
  ['keys', async () => (await import('./keys.ts')).registerKeys],
  ['callbacks', async () => (await import('./callbacks.ts')).registerCallbacks],
  ['party', async () => (await import('./party.ts')).registerParty],
  ['trust', async () => (await import('./trust.ts')).registerTrust],
  ['audit', async () => (await import('./audit.ts')).registerAudit],
  ['verify', async () => (await import('./verify.ts')).registerVerify],
  ['backup', async () => (await import('./backup.ts')).registerBackup],
  ['restore', async () => (await import('./restore.ts')).registerRestore],
  ['erase', async () => (await import('./erase.ts')).registerErase],
  ['aws', async () => (await import('./aws.ts')).registerAws],
  ['eligibility', async () => (await import('./eligibility.ts')).registerEligibility],
  ['profile', async () => (await import('./profile.ts')).registerProfile],
  ['bind', async () => (await import('./bind.ts')).registerBind],
  ['inspect', async () => (await import('./inspect.ts')).registerInspect],
  ['statement', async () => (await import('./statement.ts')).registerStatement],
  ['verify-pir', async () => (await import('./verify-pir.ts')).registerVerifyPir],
  ['context', async () => (await import('./context.ts')).registerContext],
  ['pull', async () => (await import('./pull.ts')).registerPull],
  ['batch', async () => (await import('./batch.ts')).registerBatch],
  ['conform', async () => (await import('./conform.ts')).registerConform],
  ['sim', async () => (await import('./sim.ts')).registerSim],
]);
