import type { Phase, PhaseResult, ScaleInput } from './model.ts';

/** Names of quotas, short enough for a table. */
const SHORT: Readonly<Record<string, string>> = {
  'write units of the table': 'table when new',
  'partitions of the order: packs': 'order’s partitions',
  'partition of the order: marks': 'order’s marks',
  'KMS signatures': 'KMS',
  'partitions of the job: chunks': 'chunks’ partitions',
  'partition of the job: progress': 'progress’ partition',
  'partitions of the job: counts': 'counts’ partitions',
  'partitions of waiting audit lines': 'waiting audit lines',
  'partitions of the audit chain': 'audit chain’s partitions',
  'chaining of audit lines': 'chaining',
  'partitions of notices': 'notices’ partitions',
  'calls to receivers at once': 'calls to receivers',
};

/** Walls after the first one that a table shows. */
const SHOWN = 3;

/** What a run of the model says, as docs/scale.md has it: a row for each phase. */
export function rowsOf(input: ScaleInput, results: readonly PhaseResult[]): readonly (readonly string[])[] {
  return results.map(({ phase, seconds, walls }) => {
    const [first, ...next] = walls.map(
      ({ name, profilesPerSecond }) => `${SHORT[name] ?? name} ${grouped(profilesPerSecond)}/s`,
    );
    return [
      whatOf(phase, input),
      `${(seconds / 3600).toFixed(1)} h`,
      `**${first}**`,
      next.slice(0, SHOWN).join(', '),
    ];
  });
}

export const HEADS = ['phase', 'takes', 'first wall', 'next walls'] as const;

function whatOf(phase: Phase, { profiles, pack, chunk }: ScaleInput): string {
  const all = grouped(profiles);
  switch (phase) {
    case 'prepare':
      return `preparing: ${grouped(Math.ceil(profiles / pack))} packs of ${pack}`;
    case 'register':
      return `registering ${all} eUICCs`;
    case 'bind':
      return `binding: ${grouped(Math.ceil(profiles / chunk))} chunks of ${chunk}`;
    case 'report':
      return `results of ${all}, and a callback for each`;
  }
}

/** Three digits that count, with commas. */
function grouped(value: number): string {
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 2);
  return (Math.round(value / scale) * scale).toLocaleString('en-US');
}
