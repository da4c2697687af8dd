import { type JsonObject, Operator } from '../../../sim/index.ts';
import { writeOutputAsItComes } from '../../input/files.ts';
import { readJwk } from '../../input/jwk.ts';
import { clientOptions, type ServerOptions } from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields, table } from '../../output/table.ts';

export interface OutputOptions extends ServerOptions {
  readonly key: string;
  readonly out: string;
}

/** ES2f.getOrderOutput: rows for the HSS or UDM, decrypted by the Operator's own key and written pack by pack. */
export async function orderOutput(orderId: string, options: OutputOptions, io: CliIo): Promise<void> {
  const key = await readJwk(options.key, '--key');
  const client = new Operator(await clientOptions(options, io));
  const { out } = options;
  let packs = 0;
  let rows = 0;
  await writeOutputAsItComes(out, '--out', { mode: 0o600 }, async (write) => {
    for await (const pack of client.orderOutput(orderId, key)) {
      packs += 1;
      rows += linesOf(pack);
      await write(pack);
    }
  });
  io.answer({ out, packs, rows }, () =>
    fields([
      ['written', out],
      ['packs', packs],
      ['rows', rows],
    ]),
  );
}

function linesOf(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

/** ES2f.getOrderReport: the final states, with a signature that is verified. */
export async function orderReport(orderId: string, options: ServerOptions, io: CliIo): Promise<void> {
  const client = new Operator(await clientOptions(options, io));
  const parts: JsonObject[] = [];
  for await (const part of client.orderReport(orderId)) parts.push(part);
  const profiles = parts.flatMap((part) => part.profiles as Record<string, string>[]);
  const { profiles: _, from: __, to: ___, of: ____, ...head } = parts[0]!;
  io.answer({ ...head, profiles }, () =>
    [
      fields([
        ['order', String(head.orderId)],
        ['state', String(head.state)],
        ['at', String(head.at)],
        ['signature', 'holds'],
      ]),
      table(
        ['iccid', 'state', 'eid', 'at', 'detail'],
        profiles.map(({ iccid, state, eid, at, detail }) => [iccid, state, eid, at, detail]),
      ),
    ].join('\n\n'),
  );
}
