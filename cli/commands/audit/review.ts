import { randomUUID } from 'node:crypto';
import { auditWrite } from '../../../shared/service/audit/line.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { fields } from '../../output/table.ts';
import type { Folder } from '../folder-commands.ts';

/**
 * Writes into the log that a person has gone through it up to its end, with the hash of that end. A log that does not hold is
 * not taken as reviewed: what is wrong comes first.
 */
export function reviewLog({ folder, finding }: Folder & { finding: string }, io: CliIo): Promise<void> {
  return withRuntime(folder, async ({ audit, context, evidence }, _deployment, by) => {
    await audit.chain();
    const { sequence, hash } = await audit.head();
    const outside = await evidence.anchor.read();
    let problems = 0;
    for await (const { problem } of audit.verify(outside?.heads)) if (problem !== undefined) problems++;
    if (problems > 0) {
      io.exit(EXIT.refused);
      io.answer({ reviewed: false, problems }, () =>
        fields([['not reviewed', `${problems} problems: smdpf audit verify shows them`]]),
      );
      return;
    }
    const about = { upTo: sequence, hash, finding };
    const at = context.now();
    await context.ledger.write(
      auditWrite({ event: 'audit.reviewed', by, about }, `review-${randomUUID()}`, at),
    );
    await audit.chain();
    io.answer({ reviewed: true, ...about, person: by.person }, () =>
      fields([
        ['reviewed up to line', sequence],
        ['hash', hash],
        ['by', by.person],
        ['finding', finding],
      ]),
    );
  });
}
