import type { Bytes } from '../../codec/bytes.ts';
import { checkEid } from '../../codec/eid.ts';
import { requireAllowed, type SuiteName, suiteByName } from '../../crypto/suite.ts';
import { Refusal, refuse } from '../../errors.ts';
import { requireEligible } from '../../euicc/eligibility.ts';
import type { EuiccInfo2 } from '../../rsp/euicc-info2.ts';
import type { OrderState } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { type Claim, type ClaimStandings, claim, claimStandings, type WantedKey } from '../esed1/claims.ts';
import { euiccInfos } from '../esed1/euicc-infos.ts';
import type { EuiccRecord } from '../records/euicc.ts';
import type { OrderRecord } from '../records/order.ts';
import type { DpBinding, TrustView } from '../trust/trust-view.ts';

/** An eUICC as it was read; undefined where nothing is registered for the EID. */
export interface Candidate {
  readonly eid: string;
  readonly record: EuiccRecord | undefined;
  /** DER. */
  readonly certificate: Bytes | undefined;
}

/** A profile of an order that an eUICC is to get. */
export interface WantedProfile extends WantedKey {
  readonly order: Pick<OrderRecord, 'eligibility'>;
  readonly orderState: OrderState;
  /** Device manufacturers, one of whom must be entitled to the EID, and what a refusal calls them. */
  readonly askedBy: { readonly makers: readonly string[]; readonly called: string };
  /** Why the eUICC data that came for it with the request (path B) was refused. */
  readonly refusedData?: Refusal | undefined;
  /** Refuses where the order had no profile for it. Left out in a dry run, which draws none. */
  readonly requireDrawn?: () => Promise<void>;
  /** The name of the request item, under which the one-time key is claimed. */
  readonly claimAs: string;
}

/** A profile that a commit has bound to the eUICC. */
export interface CommittedProfile {
  /** SHA-256 of the EUM chain that was verified for the bind. */
  readonly eumChain: string;
}

/** What the gate looks things up in; made anew for each attempt, since how claims stand changes. */
export interface GateReads {
  readonly view: TrustView;
  readonly infoOf: (hash: string) => Promise<EuiccInfo2>;
  readonly standingOf: ClaimStandings;
  /** Suites that are proposals, and allowed here. */
  readonly draftSuites: readonly SuiteName[];
}

export const gateReads = (context: Pick<Context, 'ledger' | 'settings'>, view: TrustView): GateReads => ({
  view,
  draftSuites: context.settings.draftSuites,
  infoOf: euiccInfos(context),
  standingOf: claimStandings(context),
});

/** What binding goes on with. */
export interface Admission {
  /** Our certificate chain for this eUICC, and its key. */
  readonly dp: DpBinding;
  /** In memory: whoever binds writes the record on condition that nothing changed. */
  readonly claim: Claim;
}

/**
 * The one gate: may this eUICC have this profile now (SGP.41 DPFF09, DPFF10; I6, I7). Binding passes it before
 * anything is spent, the dry run to tell what binding would meet, and delivery once more for what is committed.
 * Answers with the first refusal.
 *
 * A wanted profile needs an open order, an entitled device manufacturer, an eUICC that is trusted and valid now and
 * eligible by the order's rules, a binding certificate that it verifies, and a free one-time key. A committed one needs
 * that nobody has revoked or removed what was trusted: time alone never withholds what was bound while valid.
 */
export async function mayHaveProfile(
  candidate: Candidate,
  profile: WantedProfile,
  reads: GateReads,
): Promise<Admission | Refusal>;
export async function mayHaveProfile(
  candidate: Candidate,
  profile: CommittedProfile,
  reads: GateReads,
): Promise<undefined | Refusal>;
export async function mayHaveProfile(
  candidate: Candidate,
  profile: WantedProfile | CommittedProfile,
  reads: GateReads,
): Promise<Admission | undefined | Refusal> {
  try {
    return 'eumChain' in profile
      ? await requireMayKeep(candidate, profile, reads)
      : await requireMayGet(candidate, profile, reads);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

async function requireMayGet(
  candidate: Candidate,
  profile: WantedProfile,
  { view, infoOf, standingOf, draftSuites }: GateReads,
): Promise<Admission> {
  const closed = orderRefusal(profile.orderId, profile.orderState);
  if (closed !== undefined) throw closed;
  const eid = checkEid(candidate.eid);
  if (profile.refusedData !== undefined) throw profile.refusedData;
  const { record, certificate } = registered(candidate, 'no data is registered for this EID');
  requireEntitled(record, profile.askedBy, eid);
  await profile.requireDrawn?.();
  const suite = suiteByName(record.suite);
  requireAllowed(suite, draftSuites);
  const eum = await view.requireTrusted(record, certificate);
  const info = await infoOf(record.euiccInfo2);
  requireEligible(profile.order.eligibility, {
    eid,
    ciPkId: record.ciPkId,
    eum: eum.organization,
    suite: suite.name,
    info,
  });
  const dp = view.dpBindingFor(suite.curve, info.euiccCiPKIdListForVerification, eum.verified.ci);
  return { dp, claim: await claim(profile.claimAs, profile, record, standingOf) };
}

async function requireMayKeep(
  candidate: Candidate,
  { eumChain }: CommittedProfile,
  { view }: GateReads,
): Promise<undefined> {
  // bound before the ledger was restored, and not registered again yet: nobody could say whether it is revoked
  const { record, certificate } = registered(candidate, 'the eUICC is to be registered again');
  await view.requireNotWithdrawn(record, certificate, eumChain);
}

/** Why nothing can be had of an order now; undefined of one that is open. */
export function orderRefusal(orderId: string, state: OrderState): Refusal | undefined {
  if (state === 'Open') return undefined;
  return new Refusal('orderExpired', 'the order is not open', { subjectIdentifier: orderId });
}

function registered({ eid, record, certificate }: Candidate, otherwise: string) {
  if (record === undefined || certificate === undefined)
    refuse('eidUnknown', otherwise, { subjectIdentifier: eid });
  return { record, certificate };
}

function requireEntitled(
  { deviceMakers }: EuiccRecord,
  { makers, called }: WantedProfile['askedBy'],
  eid: string,
): void {
  if (!makers.some((maker) => deviceMakers.includes(maker)))
    refuse('eidBoundElsewhere', `the EUM has not named ${called} for this EID`, { subjectIdentifier: eid });
}
