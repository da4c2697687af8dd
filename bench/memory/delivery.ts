import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { DevelopmentPki, fingerprintOf, notAfterOf } from '../../cli/deployment/tls.ts';
import { jobIdOf, transactionId } from '../../shared/service/records/transaction-id.ts';
import { DeviceMaker, encodeProfileLoadingReport } from '../../sim/index.ts';
import { MAKER, REQUEST, REQUEST_ID } from '../job/names.ts';
import { prepareJob } from '../job/prepare.ts';
import { freePort, serve } from '../serving.ts';
import { Watched } from './watched.ts';

/** Most resident octets of the server and of its client, over the processes that took turns. */
export interface Peak {
  readonly work: 'job' | 'pull' | 'report';
  readonly server: number;
  readonly client?: number;
  /** Whether what was killed in the middle came to its end all the same. */
  readonly complete: boolean;
}

/**
 * A job, its pull and the report about it, over HTTPS from `smdpf serve`. The server dies of SIGKILL in the middle of the
 * job and of the report, the client in the middle of the pull; others go on.
 *
 * The report has the factory's own account of every item, since nobody kept the private keys of so many eUICCs: it is read,
 * sliced and written down as one with results is, and what the eUICC would have signed is missing from each item.
 */
async function measureDelivery(folder: string, items: number, smdpf: string): Promise<readonly Peak[]> {
  const [port, fieldPort] = [await freePort(), await freePort()];
  const eids = await prepareJob(folder, items, { port, fieldPort });
  const pki = await DevelopmentPki.open(join(folder, 'tls'));
  const ca = pki.caCertificate;
  const tls = await pki.client('device-maker');
  const deployment = await DeploymentFolder.open(folder);
  const runtime = await deployment.openRuntime({ lanes: 'none' });
  await runtime.services.parties.add(
    fingerprintOf(tls.cert),
    { identifier: MAKER, role: 'deviceMaker', name: 'device-maker', notAfterMs: notAfterOf(tls.cert) },
    'bench',
  );
  const { vault, settings } = runtime.context;
  const request = await vault.get((await vault.head(REQUEST))!);
  await runtime.close();

  const files = join(folder, 'client');
  const named = (name: string, content: string | Uint8Array): string => {
    const file = `${files}-${name}`;
    writeFileSync(file, content);
    return file;
  };
  const options = ['--url', `https://127.0.0.1:${port}`, '--requester', MAKER];
  options.push('--tls-ca', named('ca.pem', ca));
  options.push('--tls-cert', named('cert.pem', tls.cert), '--tls-key', named('key.pem', tls.key));
  const started = async () => new Watched(await serve(folder, { port, ca, command: smdpf }));
  const command = (...args: string[]) =>
    new Watched(
      spawn(process.execPath, [smdpf, ...args, ...options], {
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    );
  const requestId = REQUEST_ID.toString('hex');

  /** The job, polled here; the server dies once half of it is bound. */
  async function job(): Promise<Peak> {
    const maker = new DeviceMaker({
      baseUrl: `https://127.0.0.1:${port}`,
      functionRequesterIdentifier: MAKER,
      tls: { ca, ...tls },
    });
    const servers = [await started()];
    await maker.callRequestBpp(request);
    for (;;) {
      const answer = await maker.client.execute('esbpp', 'getBppBatch', { requestId }).catch(() => undefined);
      if (answer?.state === 'Done') break;
      if (servers.length === 1 && Number(answer?.processed ?? 0) >= items / 2) {
        await servers[0]!.ended('SIGKILL');
        servers.push(await started());
      }
      await delay(200);
    }
    await servers.at(-1)!.ended('SIGTERM');
    return { work: 'job', server: mostOf(servers), complete: true };
  }

  async function pull(): Promise<Peak> {
    const out = join(folder, 'pulled');
    const server = await started();
    const run = () => command('pull', '--request', requestId, '--out', out);
    const first = run();
    const there = () => (existsSync(out) ? readdirSync(out).length : 0);
    while (there() < items / settings.chunkSize / 2 && first.child.exitCode === null) await delay(20);
    await first.ended('SIGKILL');
    const second = run();
    second.child.stderr?.resume();
    const complete = (await second.ended()) === 0;
    await server.ended('SIGTERM');
    return { work: 'pull', server: server.most, client: mostOf([first, second]), complete };
  }

  async function report(): Promise<Peak> {
    const jobId = jobIdOf(settings.deployment, MAKER, requestId);
    const body = encodeProfileLoadingReport({
      reportId: Buffer.from('0b0b0c0d', 'hex'),
      items: eids.map((eid, index) => ({
        fpaError: {
          transactionId: Buffer.from(transactionId(jobId, index), 'hex'),
          eid,
          cause: 'notAttempted',
          at: new Date(),
        },
      })),
    });
    const file = named('report.der', body);
    const servers = [await started()];
    const first = command('report', 'send', file, '--json');
    // it has taken the report on, and is in the middle of it
    const noted = reportUnderWay(first);
    await Promise.race([noted, first.ended()]);
    await servers[0]!.ended('SIGKILL');
    await first.ended('SIGKILL');
    servers.push(await started());
    const second = command('report', 'send', file, '--json');
    second.child.stderr?.resume();
    const complete = (await second.ended()) === 0;
    await servers[1]!.ended('SIGTERM');
    return { work: 'report', server: mostOf(servers), client: mostOf([first, second]), complete };
  }

  return [await job(), await pull(), await report()];
}

const mostOf = (processes: readonly Watched[]) => Math.max(...processes.map(({ most }) => most));

/** Once the client tells how far its report is. */
const reportUnderWay = ({ child }: Watched): Promise<void> =>
  new Promise((resolve) => child.stderr?.once('data', () => resolve()));

const [own, count, smdpf] = process.argv.slice(2) as [string, string, string];
console.log(JSON.stringify(await measureDelivery(own, Number(count), smdpf)));
