import type { Bytes } from '../../shared/codec/bytes.ts';
import { readTlv, tagName } from '../../shared/codec/tlv.ts';
import { Refusal, refuse } from '../../shared/errors.ts';
import { present } from '../../shared/present.ts';
import { type Encoding, unwrapText } from '../input/text-form.ts';
import { nameText } from '../input/text-named.ts';
import type { Artefact, Describer } from './artefact.ts';
import { boundProfilePackage } from './artefacts/bound-profile-package.ts';
import { certificate } from './artefacts/certificate.ts';
import { certificationRequest } from './artefacts/certification-request.ts';
import { crl } from './artefacts/crl.ts';
import { euiccInfo2 } from './artefacts/euicc-info2.ts';
import {
  batchManifest,
  bppBatch,
  bppRequest,
  euiccDataBatch,
  loadPackage,
  manifestPage,
  manifestRoot,
  oneTimeKeyTbs,
  profileLoadingReport,
} from './artefacts/ifpp-draft1.ts';
import { privateKey, publicKey, softkey } from './artefacts/keys.ts';
import { otherSignedNotification, profileInstallationResult } from './artefacts/notifications.ts';
import { profilePackage } from './artefacts/profile-package.ts';
import { storeMetadata } from './artefacts/store-metadata.ts';

/** The first that matches describes; among SEQUENCEs the order tells a list from a request. */
export const DESCRIBERS: readonly Describer[] = [
  boundProfilePackage,
  profileInstallationResult,
  storeMetadata,
  euiccInfo2,
  euiccDataBatch,
  oneTimeKeyTbs,
  bppRequest,
  bppBatch,
  profileLoadingReport,
  batchManifest,
  loadPackage,
  manifestPage,
  manifestRoot,
  profilePackage,
  softkey,
  otherSignedNotification,
  certificate,
  crl,
  certificationRequest,
  publicKey,
  privateKey,
];

export interface Inspection {
  readonly encoding: Encoding;
  /** One, or each block of a PEM file. */
  readonly artefacts: readonly Artefact[];
}

/** Says what a file is. Everything that is malformed or unknown is a Refusal. */
export function inspect(file: Bytes): Inspection {
  const { encoding, blocks } = unwrapText(file);
  if (blocks.length === 0) refuse('protocolFormat', 'the file is empty', { offset: 0 });
  return { encoding, artefacts: blocks.map(({ octets }) => inspectArtefact(octets)) };
}

/** Says what the octets of one artefact are. */
export function inspectArtefact(octets: Bytes): Artefact {
  const describer = DESCRIBERS.find(({ matches }) => matches(octets)) ?? unknown(octets);
  const { kind, title } = describer;
  try {
    return { kind, title, length: octets.length, ...describer.describe(octets) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.code, `malformed ${title}: ${error.message}`, {
      subjectIdentifier: error.subjectIdentifier ?? kind,
      offset: error.offset ?? 0,
      ...present({ defect: error.defect }),
      cause: error,
    });
  }
}

function unknown(octets: Bytes): never {
  const text = nameText(octets);
  if (text !== undefined) refuse('protocolFormat', `this is ${text.what}. ${text.wayOut}`, { offset: 0 });
  const { tag } = readTlv(octets);
  return refuse('protocolFormat', `no artefact that smdpf knows begins with ${tagName(tag)} at offset 0`, {
    subjectIdentifier: tagName(tag),
    offset: 0,
  });
}
