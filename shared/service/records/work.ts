import type { WorkKind } from '../../events/work-kinds.ts';
import type { Item } from '../../ledger/ledger.ts';
import { parseOpenWorkName } from './keys.ts';
import { recordOf } from './record.ts';
import { whole } from './schema.ts';

/** What a dispatcher is asked to do. */
export interface Work {
  readonly kind: WorkKind;
  readonly id: string;
  /** Tasks 0 to tasks − 1: chunks of a job, pages of its manifest, packs of an order, slices of a batch of eUICC data or of a report, blocks of an order. */
  readonly tasks: number;
}

/** Work that was accepted and not completed, under its kind and name. */
export const openWorkRecord = recordOf('open work', {
  tasks: whole,
  /** Milliseconds since 1970. */
  since: whole,
});

/** What an item of the open list asks a dispatcher to do. */
export function openWorkOf(item: Item): Work {
  return { ...parseOpenWorkName(item.sort), tasks: openWorkRecord.from(item).tasks };
}
