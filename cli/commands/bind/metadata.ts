import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { Refusal, refuse } from '../../../shared/errors.ts';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import {
  checkStoreMetadataLength,
  decodeStoreMetadata,
  encodeStoreMetadata,
  fieldWarnings,
  type StoreMetadataRequest,
} from '../../../shared/rsp/store-metadata.ts';
import { storeMetadataFromJson } from '../../../shared/rsp/store-metadata-json.ts';
import { parseJson, readOctets } from '../../input/files.ts';
import { unwrapText } from '../../input/text-form.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { HintedError } from '../../output/failure.ts';

export interface BindingMetadata {
  /** StoreMetadataRequest as it is sent. */
  readonly der: Bytes;
  readonly metadata: StoreMetadataRequest;
}

/** JSON where the file starts as JSON does, otherwise a StoreMetadataRequest in DER, which is sent as it is. */
export async function readMetadata(path: string, io: CliIo): Promise<BindingMetadata> {
  const content = await readOctets(path, '--metadata');
  const isJson = /^(?:\xef\xbb\xbf)?\s*[{["]/.test(Buffer.from(content.subarray(0, 64)).toString('latin1'));
  const read = isJson ? fromJson(parseJson(content, path, '--metadata')) : fromDer(content);
  for (const warning of fieldWarnings(read.metadata)) io.warn(warning);
  return read;
}

function fromJson(value: unknown): BindingMetadata {
  const metadata = storeMetadataFromJson(value);
  return { der: encodeStoreMetadata(metadata), metadata };
}

function fromDer(content: Bytes): BindingMetadata {
  const [block] = unwrapText(content).blocks;
  if (block === undefined) return refuse('metadataInvalid', 'the metadata file is empty');
  return { der: checkStoreMetadataLength(block.octets), metadata: decodeStoreMetadata(block.octets) };
}

/**
 * Holds metadata and package against each other. Another ICCID than that of the profile header is refused, since an
 * eUICC answers it with error 13, unless `force`. What else is wrong only warns: a test may want to see the eUICC
 * find it. A package that cannot be read is bound as it is.
 */
export function checkAgainstPackage(
  upp: Bytes,
  metadata: StoreMetadataRequest,
  force: boolean,
  io: CliIo,
): void {
  const findings = validatePackage(upp, metadata);
  const malformed = findings.find(({ malformed: unreadable }) => unreadable);
  if (malformed !== undefined) {
    io.warn(
      `the package is bound as it is, since it is not a readable profile package: ${malformed.message}`,
    );
    return;
  }
  for (const { severity, code, message, pe } of findings) {
    if (code === 'metadata-iccid' && !force)
      throw new HintedError(
        new Refusal('metadataInvalid', message, { subjectIdentifier: metadata.iccid }),
        'An eUICC refuses such a profile with error 13. Correct iccid, or give --force to bind it all the same.',
      );
    if (severity === 'error') io.warn(`${pe === undefined ? '' : `${pe}: `}${message} (${code})`);
  }
}

/** What the answer tells of the metadata. */
export function metadataSummary({ metadata, der }: BindingMetadata): Record<string, unknown> {
  const { iccid, serviceProviderName, profileName, profileClass } = metadata;
  return { iccid, serviceProviderName, profileName, profileClass, storeMetadata: toHex(der) };
}
