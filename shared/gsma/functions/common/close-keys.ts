import { ifPresent, present } from '../../../present.ts';
import { list, object, optional, required } from '../../check.ts';
import { id16, listedEid, writeId16 } from '../../fields.ts';
import { itemCodes } from '../../header.ts';
import { type FunctionName, type PartyFunction, partyFunction } from '../../interface-function.ts';

const MAX_ITEMS = 10_000;

const item = object({ eid: required(listedEid), keyId: optional(id16) });
const body = object({ items: required(list(item, { min: 1, max: MAX_ITEMS })) });

/** closeKeys of Esed1 and Esbpp: one-time keys that are gone from the eUICC and must never be bound. */
export const closeKeysOf = <const Path extends FunctionName>(
  path: Path,
  { role, needs }: Pick<PartyFunction, 'role' | 'needs'>,
) =>
  partyFunction({
    path,
    role,
    reaches: ['eid'],
    needs,
    body,
    async call(services, caller, { items }) {
      const { closed, bound, refused } = await services.ingest.closeKeys(caller, items);
      return {
        members: {
          closed,
          bound: bound.map(({ eid, keyId }) => ({ eid, keyId: writeId16(keyId) })),
          refused: refused.map((refusal) => ({
            eid: refusal.eid,
            ...present({ keyId: ifPresent(refusal.keyId, writeId16) }),
            ...itemCodes(refusal),
          })),
        },
        warning: bound.length > 0 || refused.length > 0,
      };
    },
  });
