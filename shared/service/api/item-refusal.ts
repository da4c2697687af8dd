import type { Refusal } from '../../errors.ts';
import type { ItemRefusal } from './services.ts';

/** A refusal as it stands with one item of many. */
export function itemRefusal({ code, subjectCode, reasonCode, message }: Refusal): ItemRefusal {
  return { code, subjectCode, reasonCode, message };
}
