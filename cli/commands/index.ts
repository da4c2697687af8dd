import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';

/**
 * Each command's file registers it, with `program.command(…)`. Actions may be async and throw: `run` turns what they
 * throw into the answer and the exit code.
 */
export type Register = (program: Command, io: CliIo) => void;

/** A command as `smdpf --help` shows it, and where it is registered. */
export interface CommandRow {
  readonly summary: string;
  readonly load: () => Promise<Register>;
}

/**
 * By name, in the order of `smdpf --help`. A command is loaded when it is named, so that looking at a file does not
 * wait for the server's libraries, nor the help for any.
 */
export const COMMANDS: ReadonlyMap<string, CommandRow> = new Map<string, CommandRow>([
  [
    'demo',
    {
      summary: 'all 16 steps of in-factory provisioning, with simulated counterparts and deliberate troubles',
      load: async () => (await import('./demo.ts')).registerDemo,
    },
  ],
  [
    'serve',
    {
      summary:
        'the embedded server; everything it must remember is in one folder, and a restart goes on where it stopped',
      load: async () => (await import('./serve.ts')).registerServe,
    },
  ],
  [
    'stop',
    {
      summary: 'end the server of a folder, whatever has started it',
      load: async () => (await import('./stop.ts')).registerStop,
    },
  ],
  [
    'status',
    {
      summary: 'whether all is well: stock, work, callbacks, failures, what ends soon',
      load: async () => (await import('./ops/status.ts')).registerStatus,
    },
  ],
  [
    'orders',
    {
      summary: 'orders, the newest first, with their profiles by state',
      load: async () => (await import('./ops/lists.ts')).registerOrders,
    },
  ],
  [
    'order',
    {
      summary: 'one order: its profiles by state and by day; place, cancel, close, release, replace, fetch',
      load: async () => (await import('./order.ts')).registerOrder,
    },
  ],
  [
    'register',
    {
      summary: 'send eUICC data as an EUM, and wait until all of it is verified',
      load: async () => (await import('./party-calls/register.ts')).registerRegister,
    },
  ],
  [
    'request',
    {
      summary: 'ask for Bound Profile Packages as a device manufacturer, wait for them, fetch them',
      load: async () => (await import('./party-calls/request.ts')).registerRequest,
    },
  ],
  [
    'report',
    {
      summary: 'send a Profile Loading Report as a device manufacturer, and wait until it is verified',
      load: async () => (await import('./party-calls/report.ts')).registerReport,
    },
  ],
  [
    'jobs',
    {
      summary: 'requests, batches of eUICC data and reports, and how far they are',
      load: async () => (await import('./ops/lists.ts')).registerJobs,
    },
  ],
  [
    'find',
    {
      summary: 'an EID, ICCID, transactionId or requestId: what it is, and its whole history',
      load: async () => (await import('./ops/find.ts')).registerFind,
    },
  ],
  [
    'failures',
    {
      summary: 'what failed and why, what each code means, and what to do',
      load: async () => (await import('./ops/troubles.ts')).registerFailures,
    },
  ],
  [
    'expiring',
    {
      summary: 'certificates and revocation lists that end soon',
      load: async () => (await import('./ops/troubles.ts')).registerExpiring,
    },
  ],
  [
    'keys-left',
    {
      summary: 'one-time keys left, by device manufacturer and EUM',
      load: async () => (await import('./ops/lists.ts')).registerKeysLeft,
    },
  ],
  [
    'calls',
    {
      summary: 'who called what, minute by minute',
      load: async () => (await import('./ops/lists.ts')).registerCalls,
    },
  ],
  [
    'keys',
    {
      summary: 'keys and certificates of a deployment: make, install, rotate, list, retire, check',
      load: async () => (await import('./keys.ts')).registerKeys,
    },
  ],
  [
    'callbacks',
    {
      summary: 'callbacks to Operators: how they do, which are stuck, posting again, the client certificate',
      load: async () => (await import('./callbacks.ts')).registerCallbacks,
    },
  ],
  [
    'party',
    {
      summary: 'who may call this server, by client certificate',
      load: async () => (await import('./party.ts')).registerParty,
    },
  ],
  [
    'evidence',
    {
      summary: 'a signed pack for an audit, ordered by its topics',
      load: async () => (await import('./evidence.ts')).registerEvidence,
    },
  ],
  [
    'administrator',
    {
      summary: 'persons who administer, by name and own key',
      load: async () => (await import('./administrator.ts')).registerAdministrator,
    },
  ],
  [
    'approvals',
    {
      summary: 'dual control: what takes two administrators, what waits for a second one',
      load: async () => (await import('./approvals.ts')).registerApprovals,
    },
  ],
  [
    'ceremony',
    {
      summary: 'make a key before witnesses, with a signed report',
      load: async () => (await import('./ceremony.ts')).registerCeremony,
    },
  ],
  [
    'trust',
    {
      summary: 'whom this server trusts, and which lists revoke it',
      load: async () => (await import('./trust.ts')).registerTrust,
    },
  ],
  [
    'audit',
    {
      summary: 'the hash-chained log of state changes and refused calls',
      load: async () => (await import('./audit.ts')).registerAudit,
    },
  ],
  [
    'verify',
    {
      summary:
        'hold ledger, vault, PPK vault, locked records and audit log against each other, beside a running server',
      load: async () => (await import('./verify.ts')).registerVerify,
    },
  ],
  [
    'backup',
    {
      summary:
        'copy configuration, ledger and vault, beside a running server; never the PPK vault nor any key',
      load: async () => (await import('./backup.ts')).registerBackup,
    },
  ],
  [
    'upgrade',
    {
      summary:
        'old and new release side by side: which are at work, and the stored form that all of them read',
      load: async () => (await import('./upgrade.ts')).registerUpgrade,
    },
  ],
  [
    'restore',
    {
      summary: 'bring a ledger that came from a backup up to date; frozen until then',
      load: async () => (await import('./restore.ts')).registerRestore,
    },
  ],
  [
    'erase',
    {
      summary: 'remove an Operator: destroy keys and data, with a signed statement of it',
      load: async () => (await import('./erase.ts')).registerErase,
    },
  ],
  ['aws', { summary: 'look after a stack on AWS', load: async () => (await import('./aws.ts')).registerAws }],
  [
    'eligibility',
    {
      summary: 'which eUICCs would get a profile of an order',
      load: async () => (await import('./eligibility.ts')).registerEligibility,
    },
  ],
  [
    'profile',
    {
      summary: 'check, show, personalise and compare profile packages (see docs/profiles.md)',
      load: async () => (await import('./profile.ts')).registerProfile,
    },
  ],
  [
    'bind',
    {
      summary: 'bind one profile to one eUICC, from files and without any store',
      load: async () => (await import('./bind.ts')).registerBind,
    },
  ],
  [
    'inspect',
    {
      summary: 'say what a file is, and show every field with its offset',
      load: async () => (await import('./inspect.ts')).registerInspect,
    },
  ],
  [
    'statement',
    {
      summary: 'statements that the server signed for others to keep',
      load: async () => (await import('./statement.ts')).registerStatement,
    },
  ],
  [
    'verify-pir',
    {
      summary: 'verify a Profile Installation Result (BF37) and tell what it says',
      load: async () => (await import('./verify-pir.ts')).registerVerifyPir,
    },
  ],
  [
    'context',
    {
      summary: 'servers and certificates kept under a name, for every command that calls a server',
      load: async () => (await import('./context.ts')).registerContext,
    },
  ],
  [
    'pull',
    {
      summary: 'fetch the answer to a BPP request; run it again and it goes on where it stopped',
      load: async () => (await import('./pull.ts')).registerPull,
    },
  ],
  [
    'batch',
    {
      summary: 'answers that `smdpf pull` fetched, with no network',
      load: async () => (await import('./batch.ts')).registerBatch,
    },
  ],
  [
    'station',
    {
      summary: 'a station of the line, with no network: split a batch, load devices, merge reports',
      load: async () => (await import('./station.ts')).registerStation,
    },
  ],
  [
    'conform',
    {
      summary: 'hold an implementation of the other side against the rules, check by check',
      load: async () => (await import('./conform.ts')).registerConform,
    },
  ],
  [
    'sim',
    {
      summary:
        'counterparts for those who test their own side: CI, EUM, eUICC, factory, device manufacturer, Operator',
      load: async () => (await import('./sim.ts')).registerSim,
    },
  ],
  [
    'completion',
    {
      summary: 'the script that lets bash, zsh, fish or PowerShell complete command lines',
      load: async () => (await import('./completion.ts')).registerCompletion,
    },
  ],
]);
