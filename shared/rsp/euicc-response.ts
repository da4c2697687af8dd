import type { Bytes } from '../codec/bytes.ts';
import { integerValue, type Tlv, TlvReader, tlv } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';
import { present } from '../present.ts';
import { ExtensibleReader } from './extensibility.ts';

/**
 * EUICCResponse (TCA eUICC Profile Package, section 8.11), what the profile interpreter says of each profile element.
 * simaResponse holds one or more: `30 { A0 { 30 { 80 status, [81], [82], [83] } … }, [81 NULL], [82 statusMessage] }`.
 */
export interface EuiccResponse {
  readonly peStatus: readonly PeStatus[];
  readonly profileInstallationAborted: boolean;
  readonly statusMessage?: string;
}

export interface PeStatus {
  readonly status: number;
  /** identification of the profile element, 0 to 32767. */
  readonly identificationNumber?: number;
  readonly additionalInformation?: number;
  /** Octets into the profile element. */
  readonly offset?: number;
}

export const PE_STATUS: ReadonlyMap<number, string> = new Map([
  [0, 'ok'],
  [1, 'pe-not-supported'],
  [2, 'memory-failure'],
  [3, 'bad-values'],
  [4, 'not-enough-memory'],
  [5, 'invalid-request-format'],
  [6, 'invalid-parameter'],
  [7, 'runtime-not-supported'],
  [8, 'lib-not-supported'],
  [9, 'template-not-supported'],
  [10, 'feature-not-supported'],
  [11, 'pin-code-missing'],
  [31, 'unsupported-profile-version'],
]);

const RESPONSES_LIMIT = 256;
const PE_STATUS_LIMIT = 1024;
const MESSAGE_LIMIT = 1024;

export function decodeSimaResponse(simaResponse: Bytes): EuiccResponse[] {
  const reader = new TlvReader(simaResponse, 'simaResponse');
  const responses: EuiccResponse[] = [];
  while (!reader.done) {
    if (responses.length === RESPONSES_LIMIT) refuse('tooLarge', 'simaResponse has too many responses');
    responses.push(readEuiccResponse(reader.expect(0x30, 'EUICCResponse'), reader.path));
  }
  return responses;
}

/** Only shown to people, so that fields of later versions are passed over. */
function readEuiccResponse(element: Tlv, path: string): EuiccResponse {
  const reader = new ExtensibleReader(element, path, new Set([0xa0, 0x81, 0x82]), []);
  const statuses = reader.enter(0xa0, 'peStatus');
  const peStatus: PeStatus[] = [];
  while (!statuses.done) {
    if (peStatus.length === PE_STATUS_LIMIT) refuse('tooLarge', 'peStatus has too many entries');
    peStatus.push(readPeStatus(statuses.expect(0x30, 'PEStatus'), statuses.path));
  }
  const profileInstallationAborted = reader.peek()?.tag === 0x81;
  if (profileInstallationAborted) reader.octets(0x81, 'profileInstallationAborted', 0);
  const statusMessage = reader.done ? undefined : reader.text(0x82, 'statusMessage', MESSAGE_LIMIT);
  reader.end();
  return { peStatus, profileInstallationAborted, ...present({ statusMessage }) };
}

function readPeStatus(element: Tlv, path: string): PeStatus {
  const reader = new ExtensibleReader(element, path, new Set([0x80, 0x81, 0x82, 0x83]), []);
  const optional = (tag: number, name: string): number | undefined =>
    reader.peek()?.tag === tag ? reader.integer(tag, name) : undefined;
  const status = reader.integer(0x80, 'status');
  const identificationNumber = optional(0x81, 'identification-number');
  const additionalInformation = optional(0x82, 'additional-information');
  const offset = optional(0x83, 'offset');
  reader.end();
  return {
    status,
    ...present({ identificationNumber, additionalInformation, offset }),
  };
}

export function encodeEuiccResponse(response: EuiccResponse): Bytes {
  const optional = (tag: number, value: number | undefined): Bytes | undefined =>
    value === undefined ? undefined : tlv(tag, integerValue(value));
  return tlv(
    0x30,
    tlv(
      0xa0,
      ...response.peStatus.map((entry) =>
        tlv(
          0x30,
          tlv(0x80, integerValue(entry.status)),
          optional(0x81, entry.identificationNumber),
          optional(0x82, entry.additionalInformation),
          optional(0x83, entry.offset),
        ),
      ),
    ),
    response.profileInstallationAborted ? tlv(0x81) : undefined,
    response.statusMessage === undefined ? undefined : tlv(0x82, Buffer.from(response.statusMessage, 'utf8')),
  );
}
