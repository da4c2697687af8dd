import { list, object, required } from '../../check.ts';
import { listedEid } from '../../fields.ts';
import { itemCodes } from '../../header.ts';
import { partyFunction } from '../../interface-function.ts';

/** EIDs of a statement; of more devices there are several statements. */
const MAX_EIDS = 1_000;

const item = object({ eid: required(listedEid) });
const body = object({ items: required(list(item, { min: 1, max: MAX_EIDS })) });

/** Esbpp.getDeletionStatement: what eUICCs of devices that return to stock have signed to be deleted, in a signed statement. */
export const getDeletionStatement = partyFunction({
  path: 'esbpp.getDeletionStatement',
  role: 'deviceMaker',
  reaches: ['eid'],
  needs: { keys: ['delivery', 'longTerm'] },
  body,
  async call(services, caller, { items }) {
    const eids = items.map(({ eid }) => eid);
    const { statement, longTermSignature, deletions, refused } =
      await services.statements.getDeletionStatement(caller, {
        eids,
      });
    return {
      members: {
        statement,
        longTermSignature,
        deletions,
        refused: refused.map((refusal) => ({ eid: refusal.eid, ...itemCodes(refusal) })),
      },
      warning: refused.length > 0,
    };
  },
});
