import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../shared/codec/canonical-json.ts';
import { present } from '../../../shared/present.ts';
import type { ChainedLine } from '../../../shared/service/api/admin.ts';
import { AUDIT_EXPORT_TYP } from '../../../shared/service/inventory/audit-export.ts';
import { signedByDelivery } from '../../../shared/service/keys/signed.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { writeOutput } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { table } from '../../output/table.ts';
import type { Folder } from '../folder-commands.ts';
import { asked, fits, isFiltered, type LineFilter } from './filter.ts';

/** The last lines, or the last ones that fit. */
export function showLines(options: Folder & LineFilter & { last: number }, io: CliIo): Promise<void> {
  const { folder, last } = options;
  return withRuntime(folder, async (runtime) => {
    const { sequence } = await runtime.audit.head();
    const from = isFiltered(options) ? 1 : Math.max(1, sequence - last + 1);
    const lines: ChainedLine[] = [];
    for await (const line of runtime.audit.lines(from)) {
      if (!fits(options, line)) continue;
      lines.push(line);
      if (lines.length > last) lines.shift();
    }
    io.answer({ lines }, () =>
      table(
        ['line', 'at', 'event', 'by', 'about'],
        lines.map((line) => [line.sequence, line.at, line.event, actorText(line), aboutText(line)]),
      ),
    );
  });
}

/**
 * Lines as JSON, one on each. With `--statement` also a compact JWS by the delivery key over the SHA-256 of the file, what was
 * asked for and the head of the log, so that the file is evidence wherever it is carried.
 */
export function exportLines(
  options: Folder & LineFilter & { out: string; statement?: string },
  io: CliIo,
): Promise<void> {
  const { folder, out, statement } = options;
  return withRuntime(folder, async ({ audit, context }) => {
    const head = await audit.head();
    const lines: string[] = [];
    for await (const line of audit.lines()) {
      if (line.sequence > head.sequence) break;
      if (fits(options, line)) lines.push(`${canonicalJson(line)}\n`);
    }
    const text = lines.join('');
    await writeOutput(out, text, '--out', { mode: 0o600 });
    const sha256 = createHash('sha256').update(text).digest('hex');
    if (statement !== undefined) {
      const payload = {
        deployment: context.settings.deployment,
        at: new Date(context.now()).toISOString(),
        sha256,
        lines: lines.length,
        filter: asked(options),
        head,
      };
      const jws = await signedByDelivery(context, AUDIT_EXPORT_TYP, payload);
      await writeOutput(statement, `${jws}\n`, '--statement', { mode: 0o600 });
    }
    io.answer(
      { file: out, lines: lines.length, sha256, filter: asked(options), head, ...present({ statement }) },
      isFiltered(options)
        ? `${lines.length} of ${head.sequence} lines`
        : `${lines.length} lines, ending in ${head.hash}`,
    );
  });
}

export function archiveLines({ folder }: Folder, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime) => {
    await runtime.audit.chain();
    const archived = await runtime.audit.archive();
    io.answer({ archived, head: await runtime.audit.head() }, `${archived} lines archived`);
  });
}

/** `anna (cli)`, and with a second administrator `anna with ben (cli)`. */
const actorText = ({ by, who }: ChainedLine) =>
  who === undefined
    ? by
    : `${[who.person, who.approvedBy].filter((name) => name !== undefined).join(' with ')} (${by})`;

const aboutText = ({ about }: ChainedLine) =>
  Object.entries(about)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
