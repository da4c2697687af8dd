import { type Command, Option } from 'commander';
import { CONSOLE_ROLES, type ConsoleRole } from '../../console/server/login.ts';
import { type Log, lineOf } from '../../shared/events/log-events.ts';
import { collectWhileIdle } from '../../shared/garbage.ts';
import { keyInToken, namesWholeToken } from '../../shared/keys/uri.ts';
import { present } from '../../shared/present.ts';
import { THIS_RELEASE } from '../../shared/service/upgrade/stored-form.ts';
import { CURVES, type CurveName } from '../../sim/index.ts';
import { serveWithArenas } from '../allocator.ts';
import { DeploymentFolder } from '../deployment/folder.ts';
import type { OpenedConsole } from '../deployment/open-console.ts';
import { openSandbox, THIS_MACHINE } from '../deployment/sandbox.ts';
import { startDeployment } from '../deployment/start.ts';
import { stopRequested } from '../deployment/stop-request.ts';
import { portOption, untilStopped, wantedConsole } from '../input/console-options.ts';
import { wholeOption } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';
import { logLines } from '../output/log-lines.ts';
import { fields } from '../output/table.ts';

interface ServeArguments {
  folder: string;
  host?: string;
  port?: number;
  fieldPort?: number;
  address?: string;
  sandbox?: CurveName;
  crlFetchMinutes?: number;
  keys?: string;
  console?: true | number;
  consoleRole?: ConsoleRole;
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
      portOption,
    )
    .option('--field-port <port>', 'port for devices in the field, server TLS; default 8444', portOption)
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
    .option(
      '--keys <uri>',
      'make the keys in this PKCS#11 token instead of files (pkcs11:token=…?module-path=…&pin-source=…; first use only)',
    )
    .option(
      '--console [port]',
      'a console for people in a browser, on a port of its own; default 8445; prints a link that logs in once',
      portOption,
    )
    .addOption(
      new Option('--console-role <role>', 'what the link may do; default: viewer').choices(CONSOLE_ROLES),
    )
    .addHelpText('after', HELP)
    .action(async (options: ServeArguments) => {
      const { folder, sandbox, console, consoleRole, keys, ...rest } = options;
      if (rest.port !== undefined && rest.port !== 0 && rest.port === rest.fieldPort)
        throw new UsageError(
          '--port and --field-port are the same',
          'Name two ports: parties use mutual TLS, devices do not.',
        );
      const there = DeploymentFolder.exists(folder);
      const deployment = await DeploymentFolder.open(folder, {
        crlFetchMinutes: sandbox === undefined ? 60 : 0,
        ...(sandbox !== undefined && { runtime: { internalDestinations: THIS_MACHINE } }),
        ...rest,
        ...(keys !== undefined && { keys: keysInToken(keys) }),
      });
      serveWithArenas(deployment.config.server.threads ?? 1);
      collectWhileIdle();
      if (there) warnOfFirstUse(options, deployment, io);
      const ports = {
        ...present({ port: rest.port, fieldPort: rest.fieldPort }),
        ...(console !== undefined && { console: wantedConsole(console, consoleRole) }),
      };
      const logLine = logLines((lines) => io.say(lines));
      const log: Log = (record) => logLine(JSON.stringify({ at: io.now().toISOString(), ...lineOf(record) }));
      const server = await startDeployment(deployment, log, ports);
      if (sandbox !== undefined) await openSandbox(deployment, server.runtime, sandbox);
      const { problems, dpBindings } = await server.runtime.trust.current();
      if (dpBindings.length === 0) {
        io.warn(
          'no binding certificate is installed: nothing can be bound yet (smdpf trust --help, or --sandbox to try it out)',
        );
      }
      for (const problem of problems) io.warn(problem);
      const { inForce, newest } = await server.runtime.storedForm.forms();
      if (inForce < newest) io.warn(waitingForm(inForce, newest));
      if (server.console?.built === false) io.warn(CONSOLE_NOT_BUILT);
      const ready = {
        parties: server.urls.parties,
        field: server.urls.field,
        folder: deployment.folder,
        resumed: server.resumed,
        ...(server.console !== undefined && { console: server.console.link }),
        ...(server.management !== undefined && { management: server.management.url }),
      };
      // what is on stdout is the log: one JSON line for each event, and nothing else
      const banner = () =>
        fields([
          ['Operators, EUMs, device manufacturers', `${ready.parties} (mutual TLS)`],
          ['devices in the field', `${ready.field} (server TLS)`],
          ['console', consoleText(server.console)],
          ['/metrics and /health/ready', ready.management],
          ['folder', ready.folder],
          ['taken up again', `${ready.resumed} jobs and orders`],
          ['stop with', 'Ctrl-C, or smdpf stop'],
        ]);
      log({
        event: 'server.started',
        parties: server.urls.parties,
        field: server.urls.field,
        ...present({ management: server.management?.url }),
        resumed: server.resumed,
      });
      if (io.json) io.answer(ready, '');
      else for (const line of banner().split('\n')) io.note(line);
      await Promise.race([untilStopped(), stopRequested(deployment.folder, THIS_RELEASE.release)]);
      await server.close();
      log({ event: 'server.stopped' });
      // the lines of a turn are written at its end
      await new Promise((resolve) => setImmediate(resolve));
    });
}

const HELP = `
With --keys every key of the deployment is made in the token, and none is ever a file; the binding key too:
  smdpf serve --keys 'pkcs11:token=op?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/smdpf/pin'
  smdpf keys generate --role binding --key 'pkcs11:token=op?…'`;

/** Wrapping, delivery and intake key in one token: the deployment never has a key file. */
function keysInToken(where: string) {
  if (!namesWholeToken(where))
    throw new UsageError(
      '--keys: a PKCS#11 token as a whole is needed, without object or id',
      'Give pkcs11:token=LABEL?module-path=LIBRARY&pin-source=file:PATH; single keys of other backends go into config.json (docs/keys.md).',
    );
  return {
    wrapping: keyInToken(where, 'smdpf-wrapping'),
    delivery: keyInToken(where, 'smdpf-delivery'),
    intake: keyInToken(where, 'smdpf-intake'),
  };
}

/** What counts on first use only is told of where it is given later and is not so. */
function warnOfFirstUse(
  { address, host, crlFetchMinutes, keys }: ServeArguments,
  { config, folder }: DeploymentFolder,
  io: CliIo,
): void {
  const ignored = (option: string, is: string, where: string) =>
    io.warn(
      `${option} counts on first use only, and is ignored: this deployment has ${is} (${where} in ${folder}/config.json)`,
    );
  const { runtime, server } = config;
  if (address !== undefined && address !== runtime.address)
    ignored('--address', runtime.address, 'runtime.address');
  if (host !== undefined && host !== server.host) ignored('--host', server.host, 'server.host');
  if (crlFetchMinutes !== undefined && crlFetchMinutes !== config.crlFetchMinutes)
    ignored('--crl-fetch-minutes', String(config.crlFetchMinutes), 'crlFetchMinutes');
  if (keys !== undefined && keysInToken(keys).wrapping !== runtime.keys.wrapping)
    ignored('--keys', 'keys of its own', 'runtime.keys');
}

const waitingForm = (inForce: number, newest: number) =>
  `stored form ${inForce} is in force, so that an older release may work beside this one and come back; to bring form ${newest} into force: smdpf upgrade activate (docs/upgrades.md)`;

const CONSOLE_NOT_BUILT =
  'the pages of the console are not built: run npm run console:build in the project, and start the server again';

const consoleText = (console: OpenedConsole | undefined) =>
  console && `${console.link} (logs in once, as ${console.linkRole})`;
