import { type SpawnOptions, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { SANDBOX_EUM } from '../../cli/deployment/sandbox.ts';
import { DevelopmentPki, fingerprintOf, notAfterOf } from '../../cli/deployment/tls.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import { MAKER } from '../job/names.ts';
import { freePort, serve } from '../serving.ts';
import { mostOf, Watched } from './watched.ts';

export const WORKS = ['ingest', 'order', 'job', 'pull', 'report'] as const;
export type Work = (typeof WORKS)[number];

/** Most resident octets of the server and of its client, over the processes that took turns. */
export interface Peak {
  readonly work: Work;
  readonly server: number;
  readonly client: number;
  /** Whether what was killed in the middle came to its end all the same. */
  readonly complete: boolean;
}

export const OPERATOR = '2.999.60';
const CALLERS = { eum: SANDBOX_EUM, deviceMaker: MAKER, operator: OPERATOR } as const;

/** A deployment in a folder, its server and clients as processes, and a look into it from here. */
export class Stand {
  readonly folder: string;
  readonly runtime: Runtime;
  readonly #smdpf: string;
  readonly #port: number;
  readonly #ca: string;
  readonly #options: Readonly<Record<keyof typeof CALLERS, readonly string[]>>;

  private constructor(
    folder: string,
    smdpf: string,
    runtime: Runtime,
    port: number,
    ca: string,
    options: Record<keyof typeof CALLERS, readonly string[]>,
  ) {
    this.folder = folder;
    this.runtime = runtime;
    this.#smdpf = smdpf;
    this.#port = port;
    this.#ca = ca;
    this.#options = options;
  }

  /** `smdpf` is the command's file. */
  static async open(folder: string, smdpf: string): Promise<Stand> {
    const deployment = await DeploymentFolder.open(folder);
    const runtime = await deployment.openRuntime({ lanes: 'none' });
    const pki = await DevelopmentPki.open(join(folder, 'tls'));
    const port = await freePort();
    const file = (name: string, content: string): string => {
      const path = join(folder, `client-${name}`);
      writeFileSync(path, content);
      return path;
    };
    const ca = ['--tls-ca', file('ca.pem', pki.caCertificate)];
    const options = async (role: PartyRole & keyof typeof CALLERS): Promise<readonly string[]> => {
      const { cert, key } = await pki.client(`bench-${role}`);
      const identifier = CALLERS[role];
      await runtime.services.parties.add(
        fingerprintOf(cert),
        { identifier, role, name: role, notAfterMs: notAfterOf(cert) },
        'bench',
      );
      const tls = ['--tls-cert', file(`${role}.pem`, cert), '--tls-key', file(`${role}.key.pem`, key)];
      return ['--url', `https://127.0.0.1:${port}`, '--requester', identifier, ...ca, ...tls];
    };
    return new Stand(folder, smdpf, runtime, port, pki.caCertificate, {
      eum: await options('eum'),
      deviceMaker: await options('deviceMaker'),
      operator: await options('operator'),
    });
  }

  async server(): Promise<Watched> {
    const fieldPort = await freePort();
    const options = { port: this.#port, ca: this.#ca, command: this.#smdpf };
    return new Watched(
      await serve(this.folder, {
        ...options,
        options: ['--port', String(this.#port), '--field-port', String(fieldPort)],
      }),
    );
  }

  client(role: keyof typeof CALLERS, ...args: readonly string[]): Watched {
    const stdio: SpawnOptions['stdio'] = ['ignore', 'ignore', 'pipe'];
    const child = spawn(process.execPath, [this.#smdpf, ...args, ...this.#options[role]], { stdio });
    const watched = new Watched(child);
    let said = '';
    child.stderr?.on('data', (text) => {
      said = `${said}${text}`.slice(-2_000);
    });
    child.once('exit', (code) => {
      if (code !== 0 && code !== null) console.error(`smdpf ${args.join(' ')}: ${code}\n${said}`);
    });
    return watched;
  }

  /**
   * A client that waits for its work; once half of that is done both server and client die of SIGKILL, and others go on to the
   * end. `share` says how much is done, 0 to 1.
   */
  async killedInTheMiddle(
    work: Work,
    client: () => Watched,
    share: () => Promise<number>,
    afterwards: (client: Watched[]) => Promise<boolean> = async () => true,
  ): Promise<Peak> {
    const servers = [await this.server()];
    const clients = [client()];
    while ((await share()) < 0.5 && clients[0]!.child.exitCode === null) await delay(100);
    await servers[0]!.ended('SIGKILL');
    await clients[0]!.ended('SIGKILL');
    servers.push(await this.server());
    clients.push(client());
    const done = (await clients[1]!.ended()) === 0;
    const complete = done && (await afterwards(clients));
    await servers[1]!.ended('SIGTERM');
    return { work, server: mostOf(servers), client: mostOf(clients), complete };
  }

  async close(): Promise<void> {
    await this.runtime.close();
  }
}
