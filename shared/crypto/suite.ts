import type { Bytes } from '../codec/bytes.ts';
import { Refusal, refuse } from '../errors.ts';
import { SUITE_ROWS } from './suite-rows.ts';
import type { ChannelForm, Suite, SuiteName } from './suite-type.ts';

export type { ChannelForm, Encapsulation, OneTimeKey, Suite, SuiteName } from './suite-type.ts';

export const SUITES: readonly Suite[] = SUITE_ROWS;

/** Octets of the longest one-time key of any suite, and of the shortest. */
const oneTimeKeyLengths = SUITES.map(({ oneTimeKeyLength }) => oneTimeKeyLength);
export const ONE_TIME_KEY_LENGTHS = {
  min: Math.min(...oneTimeKeyLengths),
  max: Math.max(...oneTimeKeyLengths),
};

export function suiteByName(name: string): Suite {
  return (
    SUITES.find((suite) => suite.name === name) ??
    refuse('securityConfiguration', `no crypto suite is called ${name}`)
  );
}

/** Refuses a suite that is a proposal, unless it is one of those that the deployment allows. */
export function requireAllowed({ name, draft }: Suite, allowedDrafts: readonly SuiteName[]): void {
  if (draft && !allowedDrafts.includes(name))
    refuse(
      'securityConfiguration',
      `suite ${name} is a proposal, which this server takes only where its configuration has it in draftSuites`,
    );
}

/** By what an EuiccDataBatch has in `curve`. */
export function suiteByOid(oid: string): Suite {
  return (
    SUITES.find((suite) => suite.oid === oid) ??
    refuse('securityConfiguration', `no crypto suite has curve ${oid}`)
  );
}

/** The form of InitialiseSecureChannel that a control reference template announces. */
export function channelOf(keyType: number, keyLength: number): ChannelForm {
  const suite = SUITES.find(({ channel }) => channel.keyType === keyType && channel.keyLength === keyLength);
  return (
    suite?.channel ??
    refuse(
      'profileInvalid',
      `the control reference template asks for key type ${keyType} and ${keyLength} octets, which no crypto suite has`,
    )
  );
}

/** Is this a one-time key of the suite? */
export function isOneTimeKeyOf(suite: Suite, octets: Bytes): boolean {
  try {
    suite.oneTimeKey(octets);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
