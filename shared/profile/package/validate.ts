import type { Bytes } from '../../codec/bytes.ts';
import { Refusal, refuse } from '../../errors.ts';
import { present } from '../../present.ts';
import { checkFiles } from './checks/files.ts';
import type { Finding } from './checks/finding.ts';
import { checkIdentity } from './checks/identity.ts';
import { checkMetadata, type PackageMetadata } from './checks/metadata.ts';
import { checkOrder } from './checks/order.ts';
import { checkSecrets } from './checks/secrets.ts';
import { checkServices } from './checks/services.ts';
import { inProfile } from './element.ts';
import { decodePackage, type ProfilePackage } from './profile-element.ts';

/**
 * Everything that is wrong with a package, as far as can be seen without an eUICC; with `metadata`, also where
 * the two disagree. A part that cannot be decoded is a finding itself and hides what later checks would say of it.
 */
export function validatePackage(upp: Bytes, metadata?: PackageMetadata): readonly Finding[] {
  const decoded = gather(() => [decodePackage(upp)]);
  const [profile] = decoded.values;
  if (profile === undefined) return decoded.findings;
  const checks: ((profile: ProfilePackage) => readonly Finding[])[] = [
    checkOrder,
    checkServices,
    checkFiles,
    checkSecrets,
    checkIdentity,
    ...(metadata === undefined ? [] : [(checked: ProfilePackage) => checkMetadata(checked, metadata)]),
  ];
  const findings = checks.flatMap((check) => {
    const { values, findings } = gather(() => check(profile));
    return [...values, ...findings];
  });
  // several checks may stumble over the same malformed part
  return findings.filter((finding, at) => findings.findIndex((other) => same(other, finding)) === at);
}

function gather<T>(run: () => readonly T[]): {
  readonly values: readonly T[];
  readonly findings: readonly Finding[];
} {
  try {
    return { values: inProfile(run), findings: [] };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const offset = present({ offset: error.offset });
    return {
      values: [],
      findings: [{ severity: 'error', code: 'malformed', message: error.message, ...offset }],
    };
  }
}

function same(a: Finding, b: Finding): boolean {
  return a.code === b.code && a.message === b.message && a.offset === b.offset;
}

/** Refuses (`profileInvalid`, `metadataInvalid`) a package with an error; warnings pass. */
export function checkProfile(upp: Bytes, metadata?: PackageMetadata): void {
  const error = validatePackage(upp, metadata).find(({ severity }) => severity === 'error');
  if (error === undefined) return;
  refuse(error.code.startsWith('metadata') ? 'metadataInvalid' : 'profileInvalid', error.message, {
    subjectIdentifier: error.code,
    ...present({ offset: error.offset }),
  });
}
