import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Log, lineOf } from '../../shared/events/log-events.ts';
import { present } from '../../shared/present.ts';
import { CURVES, type CurveName } from '../../sim/index.ts';
import { DeploymentFolder } from '../deployment/folder.ts';
import { openSandbox, THIS_MACHINE } from '../deployment/sandbox.ts';
import { startDeployment } from '../deployment/start.ts';
import { wholeOption } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { fields } from '../output/table.ts';

interface ServeArguments {
  folder: string;
  host?: string;
  port?: number;
  fieldPort?: number;
  address?: string;
  sandbox?: CurveName;
  crlFetchMinutes?: number;
}

export function registerServe(program: Command, io: CliIo): void {
  program
    .command('serve')
    .option('--folder <folder>', 'the deployment; made on first use', 'smdpf-data')
    .option('--address <fqdn>', 'FQDN of this SM-DPf: notificationAddress of its profiles (first use only)')
    .option('--host <host>', 'where to listen (first use only); default 127.0.0.1')
    .option(
      '--port <port>',
      'port for Operators, EUMs and device manufacturers, mutual TLS; default 8443',
      port,
    )
    .option('--field-port <port>', 'port for devices in the field, server TLS; default 8444', port)
    .addOption(
      new Option(
        '--sandbox <curve>',
        'trust a simulated CI and EUM, made in the folder: for trying out, never for production',
      ).choices(Object.keys(CURVES)),
    )
    .option(
      '--crl-fetch-minutes <minutes>',
      'minutes between fetches of revocation lists from the distribution points, 0 for none (first use only); ' +
        'default 60, with --sandbox 0',
      wholeOption(0, 10_080),
    )
    .action(async (options: ServeArguments) => {
      const { folder, sandbox, ...rest } = options;
      const deployment = await DeploymentFolder.open(folder, {
        crlFetchMinutes: sandbox === undefined ? 60 : 0,
        ...(sandbox !== undefined && { runtime: { internalDestinations: THIS_MACHINE } }),
        ...rest,
      });
      const ports = present({ port: rest.port, fieldPort: rest.fieldPort });
      const log: Log = (record) => io.say(JSON.stringify({ at: io.now().toISOString(), ...lineOf(record) }));
      const server = await startDeployment(deployment, log, ports);
      if (sandbox !== undefined) await openSandbox(deployment, server.runtime, sandbox);
      const { problems, dpBindings } = await server.runtime.trust.current();
      if (dpBindings.length === 0) {
        io.warn(
          'no binding certificate is installed: nothing can be bound yet (smdpf trust --help, or --sandbox to try it out)',
        );
      }
      for (const problem of problems) io.warn(problem);
      const ready = {
        parties: server.urls.parties,
        field: server.urls.field,
        folder: deployment.folder,
        resumed: server.resumed,
      };
      io.answer(ready, () =>
        fields([
          ['Operators, EUMs, device manufacturers', `${ready.parties} (mutual TLS)`],
          ['devices in the field', `${ready.field} (server TLS)`],
          ['folder', ready.folder],
          ['taken up again', `${ready.resumed} jobs and orders`],
          ['stop with', 'Ctrl-C'],
        ]),
      );
      await new Promise<void>((resolve) => {
        process.once('SIGINT', () => resolve());
        process.once('SIGTERM', () => resolve());
      });
      await server.close();
    });
}

function port(text: string): number {
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number > 65_535) throw new InvalidArgumentError('a port number is needed');
  return number;
}
