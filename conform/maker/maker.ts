import type { Bytes } from '../../shared/codec/bytes.ts';
import { type Check, Conformity } from '../conformity.ts';
import { conformEum } from '../eum/eum.ts';
import { checkReport, type ReportContext } from './report.ts';
import { checkRequest } from './request.ts';
import { MAKER_RULES, type MakerRule } from './rules.ts';

export interface MakerInput extends ReportContext {
  /** BppRequest (FF61). */
  readonly request?: Bytes;
  /** ProfileLoadingReport (FF63). */
  readonly report?: Bytes;
  /** CIs that the SM-DPf trusts, DER: with them, eUICC data inside the request are held against the rules of EUMs too. */
  readonly cis?: readonly Bytes[];
  readonly now: Date;
}

/** Holds a device manufacturer's request and report against the rules, each as far as it is given. */
export function conformMaker(input: MakerInput): readonly Check[] {
  const conformity = new Conformity<MakerRule>(MAKER_RULES);
  const { request, report, cis, now } = input;
  const forwarded = request === undefined ? undefined : checkRequest(request, conformity);
  if (report !== undefined) checkReport(report, present(input, forwarded), conformity);
  const own = conformity.checks;
  if (forwarded === undefined || cis === undefined) return own;
  return [...own, ...conformEum({ batch: forwarded, cis, now, isForwarded: true })];
}

/** Certificates of eUICCs may come with the request itself. */
function present({ bppBatch, euiccData }: MakerInput, forwarded: Bytes | undefined): ReportContext {
  const data = euiccData ?? forwarded;
  return {
    ...(bppBatch === undefined ? {} : { bppBatch }),
    ...(data === undefined ? {} : { euiccData: data }),
  };
}
