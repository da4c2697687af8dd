import { type Bytes, toHex } from '../../../codec/bytes.ts';
import { present } from '../../../present.ts';
import type { StoreMetadataRequest } from '../../../rsp/store-metadata.ts';
import { decodeImsi } from '../ef/imsi.ts';
import { fileImage, findFile } from '../files.ts';
import { headerOf } from '../header.ts';
import type { PeName, ProfilePackage } from '../profile-element.ts';
import type { Finding, FindingCode } from './finding.ts';
import { attempt } from './identity.ts';

/** The parts of StoreMetadata that the package must agree with; a whole StoreMetadataRequest fits. */
export type PackageMetadata = Pick<StoreMetadataRequest, 'iccid'> &
  Partial<
    Pick<
      StoreMetadataRequest,
      'serviceProviderName' | 'profileName' | 'profileClass' | 'profileOwner' | 'profilePolicyRules'
    >
  >;

/** Metadata against the files of the package: a real eUICC compares the same (errors 13 and 15). */
export function checkMetadata(profile: ProfilePackage, metadata: PackageMetadata): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string, parameter?: string) =>
    findings.push({ severity: 'error', code, message, ...present({ parameter }) });
  const { profileOwner: owner } = metadata;
  const hasRules = (metadata.profilePolicyRules ?? []).length > 0;
  if (metadata.iccid !== headerOf(profile).iccid) {
    add('metadataIccid', 'the ICCID of the metadata is not that of the package', 'iccid');
  }
  if (metadata.serviceProviderName === '') add('metadataName', 'the service provider name is empty');
  if (metadata.profileName === '') add('metadataName', 'the profile name is empty');
  if (hasRules && owner === undefined) {
    add('metadataPolicyRules', 'profile policy rules need a profile owner');
  }
  if (hasRules && metadata.profileClass === 'test') {
    findings.push({
      severity: 'warning',
      code: 'metadataPolicyRules',
      message: 'a test profile should have no profile policy rules',
    });
  }
  const efImsi = imageOf(profile, 'usim', 'ef-imsi') ?? imageOf(profile, 'iot', 'ef-imsi');
  const imsi = efImsi && attempt(() => decodeImsi(efImsi));
  if ((hasRules || owner !== undefined) && imsi === undefined) {
    add('metadataOwner', 'a profile with an owner or policy rules needs an EF.IMSI', 'imsi');
  }
  if (owner !== undefined) {
    if (imsi !== undefined && !imsi.startsWith(owner.mccMnc)) {
      add('metadataOwner', 'the owner is not the network of EF.IMSI', 'imsi');
    }
    for (const gid of ['gid1', 'gid2'] as const) {
      const wanted = owner[gid];
      if (wanted === undefined) continue;
      const stored = imageOf(profile, 'opt-usim', `ef-${gid}`);
      if (stored === undefined || unfilled(stored) !== unfilled(wanted)) {
        add('metadataOwner', `${gid} of the owner differs from EF.${gid.toUpperCase()}`, gid);
      }
    }
  }
  return findings;
}

function imageOf(profile: ProfilePackage, pe: PeName, file: string): Bytes | undefined {
  const element = profile.elements.find(({ name }) => name === pe);
  const view = element && findFile(pe, element.fields, file);
  return view && fileImage(view);
}

/** A group identifier that is shorter than its file is filled with FF. */
function unfilled(octets: Bytes): string {
  return toHex(octets).replace(/(?:ff)+$/, '');
}
