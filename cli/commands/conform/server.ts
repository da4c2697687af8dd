import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { conformServer } from '../../../conform/server/server.ts';
import { present } from '../../../shared/present.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { SimEum } from '../../../sim/index.ts';
import { readDer, readOctets, writeOutput } from '../../input/files.ts';
import { wholeOption } from '../../input/options.ts';
import { clientOptions, withContext } from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { CERT_CI, NEXT_SERIAL, openEumCa } from '../sim/folders.ts';
import { answerChecks, type ResultOptions, withJunit } from './result.ts';

interface ServerArguments extends ResultOptions {
  readonly url: string;
  readonly tlsCa?: string;
  readonly tls: string;
  readonly operator: string;
  readonly deviceMaker: string;
  readonly eumParty: string;
  readonly eum: string;
  readonly template?: string;
  readonly large?: number;
}

/** EIDs that a run makes at most: the next one starts behind them. */
const EIDS = 100;

const HELP = `
It calls the SM-DPf as an Operator, an EUM and a device manufacturer, with a client certificate each: the files
client-ROLE-ID.cert.pem and client-ROLE-ID.key.pem of the folder --tls, as smdpf party add --issue writes them. The SM-DPf
has to trust the CI of the folder --eum, and to allow its EUM for --eum-party. A run orders ten profiles, registers eUICCs
that nobody has, loads their profiles and closes the order; use a deployment for tests. With --large it orders and asks for
so many BPPs besides, in an order of their own: an SM-DPf of this project answers by pages from 16001 on.

Example, against smdpf serve --folder try --sandbox p256:
  smdpf conform server --url https://127.0.0.1:8443 --tls try/tls --eum try/sandbox/p256 \\
    --operator 2.999.60 --device-maker 2.999.50 --eum-party 2.999.40`;

export function registerConformServer(conform: Command, io: CliIo): void {
  const command = conform
    .command('server')
    .description('run the interface against an SM-DPf, by calls alone')
    .option('--url <url>', 'scheme, host and port of the SM-DPf; without it that of the context applies')
    .requiredOption('--tls <dir>', 'folder of the client certificates and their keys')
    .option('--tls-ca <file>', 'PEM: the CA of the server certificate; ca.cert.pem of --tls unless given')
    .requiredOption('--operator <id>', 'functionRequesterIdentifier of the Operator')
    .requiredOption('--device-maker <id>', 'of the device manufacturer')
    .requiredOption('--eum-party <id>', 'of the EUM')
    .requiredOption('--eum <dir>', 'folder of the simulated EUM that the SM-DPf allows')
    .option('--template <file>', "Unprotected Profile Package to order from; the project's own unless given")
    .option(
      '--large <n>',
      'BPPs to ask for in one request besides, so that the answer has pages; none unless given',
      wholeOption(1, 1_000_000),
    );
  withJunit(withContext(command, io, ['url', 'tlsCa']))
    .addHelpText('after', HELP)
    .action((options: ServerArguments) => run(options, io));
}

async function run(options: ServerArguments, io: CliIo): Promise<void> {
  const party = async (role: string, requester: string) => {
    const file = (kind: string) => join(options.tls, `client-${role}-${requester}.${kind}.pem`);
    const named = {
      url: options.url,
      requester,
      tlsCa: options.tlsCa ?? join(options.tls, 'ca.cert.pem'),
      tlsCert: file('cert'),
      tlsKey: file('key'),
    };
    const client = await clientOptions(named, io);
    return { ...client, functionRequesterIdentifier: requester };
  };
  const template =
    options.template === undefined ? ownTemplate() : await readDer(options.template, '--template');
  const { large } = options;
  const input = {
    operator: await party('operator', options.operator),
    maker: await party('deviceMaker', options.deviceMaker),
    eum: await party('eum', options.eumParty),
    simEum: await simEumOf(options.eum, EIDS + (large ?? 0)),
    template,
    ...present({ large }),
  };
  const checks = await conformServer(input);
  await answerChecks('server', checks, options, io);
}

/** The EUM of the folder. Its EIDs are taken before they are used, so that none is made twice. */
async function simEumOf(folder: string, eids: number): Promise<SimEum> {
  const serialFile = join(folder, NEXT_SERIAL);
  const ca = openEumCa(folder);
  const firstSerial = existsSync(serialFile) ? Number(readFileSync(serialFile, 'utf8')) : 1;
  if (!Number.isSafeInteger(firstSerial) || firstSerial < 1)
    throw new UsageError(`${serialFile} holds no number`, 'Write the next running number into it.');
  await writeOutput(serialFile, String(firstSerial + eids), '--eum');
  return new SimEum({ ca, ci: await readOctets(join(folder, CERT_CI), '--eum'), firstSerial });
}
