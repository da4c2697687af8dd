import type { Command } from 'commander';
import { Refusal } from '../../shared/errors.ts';
import { readOctets } from '../input/files.ts';
import { unwrapText } from '../input/text-form.ts';
import { nameText } from '../input/text-named.ts';
import { inspect } from '../inspect/inspect.ts';
import { inspectJson } from '../inspect/json-artefacts.ts';
import { renderArtefact } from '../inspect/render.ts';
import type { CliIo } from '../output/cli-io.ts';
import { HintedError, UsageError } from '../output/failure.ts';
import { fields } from '../output/table.ts';

const HELP = `
Known artefacts: Bound Profile Package (BF36), Profile Installation Result (BF37), OtherSignedNotification,
StoreMetadata (BF25), EuiccInfo2 (BF22), eUICC data batch (FF60), BPP request (FF61), BPP batch (FF62), Profile
Loading Report (FF63), batch manifest (FF65, FF67, FF68), load package (FF66), profile package, certificate, revocation list,
certification request, public key, private key (never its octets), softkey file; as JSON an order, a key or keys
(JWK, never a private part), delivery keys, the statement of an erasure; a JWS such as a deletion statement.
The file is binary, PEM, base64 or hexadecimal. Offsets count octets of the decoded artefact.

Examples:
  smdpf inspect profile.bpp
  smdpf inspect CERT_EUICC.der --json`;

export function registerInspect(program: Command, io: CliIo): void {
  program
    .command('inspect')
    .argument('<file>')
    .addHelpText('after', HELP)
    .action(async (file: string) => {
      const octets = await readOctets(file, 'FILE');
      const document = inspectJson(octets);
      if (document !== undefined)
        return io.answer({ file, encoding: 'json', ...document }, () =>
          [document.title, fields(document.members), ...document.notes].join('\n\n'),
        );
      if (octets.length === 0)
        throw new UsageError(`FILE: ${file} is empty`, 'Name a file that holds an object.');
      const text = unwrapText(octets).encoding === 'binary' ? nameText(octets) : undefined;
      if (text !== undefined)
        throw new HintedError(new Refusal('protocolFormat', `FILE: ${file} is ${text.what}`), text.wayOut);
      const { encoding, artefacts } = inspect(octets);
      io.answer({ file, encoding, artefacts }, () => artefacts.map(renderArtefact).join('\n\n'));
    });
}
