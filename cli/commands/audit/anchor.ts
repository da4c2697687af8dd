import { present } from '../../../shared/present.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { writeOutput } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import type { Folder } from '../folder-commands.ts';

/** Signs the present end of the log, for somebody else to keep. */
export function anchorHead({ folder, out }: Folder & { out?: string }, io: CliIo): Promise<void> {
  return withRuntime(folder, async ({ audit, evidence: { anchor } }) => {
    await audit.chain();
    const head = await audit.head();
    const statement = await anchor.sign(head);
    const kept = await anchor.keep(head);
    if (out !== undefined) await writeOutput(out, `${statement}\n`, '--out', { mode: 0o600 });
    io.answer({ head, statement, ...present({ out, store: anchor.uri }), kept }, () =>
      fields([
        ['line', head.sequence],
        ['hash', head.hash],
        [
          'kept in',
          [...(kept ? [anchor.uri] : []), ...(out === undefined ? [] : [out])].join(', ') || undefined,
        ],
        ['statement', statement],
      ]),
    );
  });
}

/** Compares this machine's clock, which the log takes its times from, with the configured one. */
export function compareClock({ folder }: Folder, io: CliIo): Promise<void> {
  return withRuntime(folder, async ({ evidence: { clock } }) => {
    const found = await clock.compare();
    if (found === undefined)
      throw new UsageError(
        'the configuration names no timeSource, so that there is no clock to compare with',
        'Name one in `runtime` of config.json: "timeSource": "sntp:HOST".',
      );
    io.answer({ source: clock.source, ...found }, () =>
      fields([
        ['source', clock.source],
        ['this clock is ahead by', `${found.aheadMs} ms`],
        ['round trip', `${found.roundTripMs} ms`],
      ]),
    );
  });
}
