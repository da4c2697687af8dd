import type { Command } from 'commander';
import { readOctets } from '../input/files.ts';
import { inspect } from '../inspect/inspect.ts';
import { renderArtefact } from '../inspect/render.ts';
import type { CliIo } from '../output/cli-io.ts';

const HELP = `
Known artefacts: Bound Profile Package (BF36), Profile Installation Result (BF37), OtherSignedNotification,
StoreMetadata (BF25), EuiccInfo2 (BF22), eUICC data batch (FF60), BPP request (FF61), BPP batch (FF62), Profile
Loading Report (FF63), batch manifest (FF65), load package (FF66), profile package, certificate, revocation list,
certification request, public key, private key (never its octets), softkey file.
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
      const { encoding, artefacts } = inspect(await readOctets(file, 'FILE'));
      io.answer({ file, encoding, artefacts }, () => artefacts.map(renderArtefact).join('\n\n'));
    });
}
