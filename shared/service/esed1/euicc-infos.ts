import { invariant } from '../../errors.ts';
import { decodeEuiccInfo2, type EuiccInfo2 } from '../../rsp/euicc-info2.ts';
import type { Context } from '../context.ts';
import { euiccInfo2Record } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';

/** Kinds of EuiccInfo2 that are kept. */
const KEPT = 1_000;

/** Reads EuiccInfo2 by its SHA-256, each once: nearly all eUICCs of a production run have the same. */
export function euiccInfos({ ledger }: Pick<Context, 'ledger'>): (hash: string) => Promise<EuiccInfo2> {
  const infos = new Map<string, Promise<EuiccInfo2>>();
  return (hash) => {
    let info = infos.get(hash);
    if (info === undefined) {
      info = ledger.get(ledgerKeys.euiccInfo2(hash)).then((item) => {
        invariant(item !== undefined, 'an eUICC names an EuiccInfo2 that is not stored');
        return decodeEuiccInfo2(euiccInfo2Record.from(item).der);
      });
      if (infos.size >= KEPT) infos.clear();
      infos.set(hash, info);
      // one that could not be read is asked for again
      info.catch(() => infos.delete(hash));
    }
    return info;
  };
}
