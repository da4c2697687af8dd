import { refuse } from '../../errors.ts';
import { GUARDED_ACTIONS } from '../records/dual-control.ts';
import { demand, mismatchText, object, oneOf, type TypeOf, text } from '../records/schema.ts';
import { type Administrators, holds } from './administrators.ts';

export const APPROVAL_TYP = 'smdpf-approval+jws';

/** How far the clock of whoever signs may be from ours: what was signed before is not sent again later. */
export const FRESH_MS = 5 * 60_000;
/** Characters; a decision has some 600. */
const MAX_LENGTH = 4_096;

const header = object({ alg: oneOf('ES256'), typ: oneOf(APPROVAL_TYP) });

const claims = object({
  deployment: text,
  /** 32 hexadecimal characters, chosen at random by whoever asks. */
  request: text,
  action: oneOf(...GUARDED_ACTIONS),
  subject: text,
  decision: oneOf('request', 'approve', 'withdraw', 'begin'),
  /** As the person is registered. */
  name: text,
  /** ISO 8601. */
  at: text,
});

export type DecisionClaims = TypeOf<typeof claims>;

/** What a registered administrator has decided, under a key that the server never has: a compact JWS (RFC 7515, ES256). */
export interface SignedDecision {
  readonly claims: DecisionClaims;
  readonly jws: string;
}

/**
 * Reads a decision that was signed elsewhere, in a browser say, and came over the network. It is of a person who is registered now,
 * for this deployment, and of the last minutes. Of a person with a role of AWS there is nobody to ask for the role: refused.
 */
export async function readSignedDecision(
  jws: string,
  deployment: string,
  administrators: Administrators,
  nowMs: number,
): Promise<SignedDecision> {
  const said = decoded(jws);
  const known = (await administrators.active()).find(({ name }) => name === said.name);
  if (known === undefined || !holds(jws, known.publicKey))
    refuse('requesterUnknown', 'the decision is not signed by an administrator who is registered');
  if (known.awsRole !== undefined)
    refuse(
      'requesterNotAllowed',
      `${known.name} acts as a role of AWS, which only the command shows: smdpf approvals`,
    );
  if (said.deployment !== deployment) refuse('requesterNotAllowed', 'the decision is for another deployment');
  if (!/^[0-9a-f]{32}$/.test(said.request))
    refuse('protocolFormat', 'a request is named by 32 hexadecimal characters');
  if (said.subject === '' || said.subject.length > 512)
    refuse('protocolFormat', 'what a request is for has 1 to 512 characters');
  if (!(Math.abs(Date.parse(said.at) - nowMs) <= FRESH_MS))
    refuse(
      'requesterNotAllowed',
      'the decision was signed too long ago, or the clocks differ: sign it again',
    );
  return { claims: said, jws };
}

function decoded(jws: string): DecisionClaims {
  const parts = jws.split('.');
  if (jws.length > MAX_LENGTH || parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part)))
    refuse('protocolFormat', 'a decision is a compact JWS (RFC 7515)');
  const [first, second] = parts.slice(0, 2).map(parsed);
  demand(header, first, (mismatch) =>
    refuse('protocolFormat', `the header of a decision has ${mismatchText(mismatch)}`),
  );
  demand(claims, second, (mismatch) => refuse('protocolFormat', `a decision has ${mismatchText(mismatch)}`));
  return second;
}

function parsed(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return refuse('protocolFormat', 'a decision is JSON');
  }
}
