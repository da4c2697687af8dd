import type { WorkKind } from '../../events/work-kinds.ts';

/** What prepares an order: one kind after the other. */
export const PREPARING = ['rows', 'rowSlices', 'order'] as const satisfies readonly WorkKind[];
