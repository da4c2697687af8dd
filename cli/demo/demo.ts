import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suiteByName } from '../../shared/crypto/suite.ts';
import { Fault } from '../../shared/errors.ts';
import { type LogLine, lineOf } from '../../shared/events/log-events.ts';
import type { KeyDescription } from '../../shared/keys/provider.ts';
import { keyInToken, namesWholeToken } from '../../shared/keys/uri.ts';
import { present } from '../../shared/present.ts';
import { SUITES } from '../../sim/index.ts';
import { DeploymentFolder, type FolderOptions } from '../deployment/folder.ts';
import { namedKey } from '../deployment/keys.ts';
import type { OpenedConsole, WantedConsole } from '../deployment/open-console.ts';
import { openSandbox, THIS_MACHINE } from '../deployment/sandbox.ts';
import { startDeployment } from '../deployment/start.ts';
import type { CliIo } from '../output/cli-io.ts';
import { Flow, type FlowOptions } from './flow.ts';
import { DemoRecord } from './steps.ts';
import type { DemoSummary } from './summary.ts';
import { openWorld } from './world.ts';

export interface DemoOptions extends FlowOptions {
  readonly folder: string;
  /**
   * Instead of softkeys: URI of the binding key, or of a token for all keys, which names no object. Keys that are not
   * there yet are made there.
   */
  readonly keys?: string;
  /** Opens the console beside the flow. */
  readonly console?: WantedConsole;
}

export interface DemoResult {
  readonly record: DemoRecord;
  readonly summary: DemoSummary;
  readonly folder: string;
  /** What the backends say of the keys that were used. */
  readonly keys: readonly KeyDescription[];
}

const MARKER = '.smdpf-demo';

/**
 * All 16 steps of the IFPP flow against the embedded server, over HTTPS, with simulated counterparts. `atEnd` is given the
 * result while the server and its counterparts still run, with the console where there is one.
 */
export async function runDemo(
  options: DemoOptions,
  io: CliIo,
  atEnd: (result: DemoResult, console: OpenedConsole | undefined) => Promise<void>,
): Promise<void> {
  const folder = freshFolder(options.folder);
  const record = new DemoRecord((text) => io.say(text));
  const { curve } = SUITES[options.suite];
  const deployment = await DeploymentFolder.open(join(folder, 'smdpf'), {
    port: 0,
    fieldPort: 0,
    runtime: {
      internalDestinations: THIS_MACHINE,
      ...(suiteByName(options.suite).draft && { draftSuites: [options.suite] }),
    },
    ...keysOf(options.keys),
  });
  const log: LogLine[] = [];
  const server = await startDeployment(
    deployment,
    (record) => log.push(lineOf(record)),
    present({ console: options.console }),
  );
  try {
    const sandbox = await openSandbox(
      deployment,
      server.runtime,
      curve,
      options.keys && namedKey(deployment, options.keys, `smdpf-demo-dppb-${curve}`),
    );
    const keys = (await server.runtime.keyInventory.list()).flatMap(({ description }) => description ?? []);
    const world = await openWorld(server, sandbox, options.suite);
    try {
      const summary = await new Flow(options, folder, world, record, io).run(server.runtime.audit);
      const { header: _, ...serverKeys } = await world.operator.serverKeys();
      writeFileSync(join(folder, 'server-keys.json'), JSON.stringify(serverKeys));
      await atEnd({ record, summary, folder, keys }, server.console);
    } finally {
      await world.callbacks.stop();
    }
  } finally {
    await server.close();
    writeFileSync(join(folder, 'server.log'), log.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
}

/** The keys of other roles are in the token too, where one is named as a whole. */
function keysOf(where: string | undefined): Pick<FolderOptions, 'keys'> {
  if (where === undefined || !namesWholeToken(where)) return {};
  return {
    keys: {
      wrapping: keyInToken(where, 'smdpf-demo-wrapping'),
      delivery: keyInToken(where, 'smdpf-demo-delivery'),
      intake: keyInToken(where, 'smdpf-demo-intake'),
    },
  };
}

/** Only a folder that an earlier demo made is replaced. */
function freshFolder(path: string): string {
  const folder = resolve(path);
  if (existsSync(folder)) {
    if (!existsSync(join(folder, MARKER))) {
      throw new Fault(
        'configuration',
        `${folder} exists and was not made by a demo; name another folder with --out`,
      );
    }
    rmSync(folder, { recursive: true });
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, MARKER), 'Made by `smdpf demo`; the next demo replaces this folder.\n');
  return folder;
}
