import type { Command } from 'commander';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { givenKeys } from '../delivery/delivery-keys.ts';
import { pull } from '../delivery/pull.ts';
import { hexOption, wholeOption } from '../input/options.ts';
import { clientOptions, type ServerOptions, withServerOptions } from '../input/server-options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { fields } from '../output/table.ts';

interface PullArguments extends ServerOptions {
  readonly request: Bytes;
  readonly out: string;
  readonly parallel: number;
  readonly timeout: number;
  readonly deliveryKey?: string;
}

export function registerPull(program: Command, io: CliIo): void {
  withServerOptions(
    program
      .command('pull')
      .requiredOption('--request <hex>', 'requestId, 1 to 16 octets', hexOption(1, 16))
      .requiredOption('--out <folder>', 'where the manifest and its parts go')
      .option('--parallel <n>', 'parts fetched at once', wholeOption(1, 64), 4)
      .option(
        '--timeout <seconds>',
        'how long to wait for an answer to be complete',
        wholeOption(1, 86_400),
        600,
      )
      .option(
        '--delivery-key <file>',
        'trust this key of the SM-DPf (PEM, DER, JWK or JWK Set), not the one that the server names',
      ),
    io,
  ).action(async (options: PullArguments) => {
    const { out, parallel } = options;
    const requestId = toHex(options.request);
    const client = await clientOptions(options, io);
    const pinned = options.deliveryKey && (await givenKeys(options.deliveryKey, '--delivery-key'));
    const pulled = await pull({
      client,
      requestId,
      folder: out,
      ...(pinned && { pinned }),
      parallel,
      timeoutMs: options.timeout * 1000,
      onPart: (done, parts) => io.note(`part ${done} of ${parts}`),
    });
    io.answer({ requestId, out, ...pulled }, () =>
      fields([
        ['requestId', requestId],
        ['folder', out],
        ['form', pulled.form],
        ['pages', pulled.pages && String(pulled.pages)],
        ['parts', `${pulled.parts}, ${pulled.present} of them there before`],
        ['signed by', pulled.signedBy && `the key with SHA-256 ${pulled.signedBy}`],
        ['key trusted by', pulled.keysFrom],
      ]),
    );
  });
}
