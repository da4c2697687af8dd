import { type Bytes, toHex } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';
import { MAX_CRL } from '../../pki/crl.ts';
import { MAX_PACKAGE_LENGTH } from '../../profile/package/profile-element.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Caller } from '../api/caller.ts';
import type { OpenedTransfer, TransferPurpose, Transfers, UsedLink } from '../api/transfers.ts';
import type { Context } from '../context.ts';
import type { IngestService } from '../esed1/ingest.ts';
import { readWhole } from '../life/checked-reads.ts';
import { LINK_SECONDS, openUpload } from '../life/uploads.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames, uploadedAs } from '../records/object-names.ts';
import { transferRecord } from '../records/transfer.ts';
import type { ReportService } from '../reports/reports.ts';
import type { DeliveryService } from './delivery.ts';

const MIB = 1024 * 1024;
/** Octets of an upload. What is read where it lies may be large; all else is held in memory when it is used. */
const MAX_UPLOAD: Readonly<Record<TransferPurpose, number>> = {
  euiccData: 1024 * MIB,
  rows: 1024 * MIB,
  bppRequest: 256 * MIB,
  profileLoadingReport: 256 * MIB,
  template: MAX_PACKAGE_LENGTH,
  crl: MAX_CRL,
};
/** Name of the result object of a batch of eUICC data or of a report, whose batchId or reportId stands for the requestId. */
const REJECTED = 'rejected';

/** Bodies and answers above the inline limit, as objects bound to their size and SHA-256. */
export class TransferService implements Transfers {
  readonly #context: Context;
  readonly #delivery: DeliveryService;
  readonly #ingest: IngestService;
  readonly #reports: ReportService;

  constructor(context: Context, delivery: DeliveryService, ingest: IngestService, reports: ReportService) {
    this.#context = context;
    this.#delivery = delivery;
    this.#ingest = ingest;
    this.#reports = reports;
  }

  async openTransfer(
    caller: Caller,
    { purpose, size, sha256 }: { purpose: TransferPurpose; size: number; sha256: string },
  ): Promise<OpenedTransfer> {
    const max = MAX_UPLOAD[purpose];
    if (size < 1 || size > max) refuse('tooLarge', `an upload for ${purpose} has 1 to ${max} octets`);
    const transferId = toHex(this.#context.random(16));
    const name = objectNames.upload(transferId);
    const { identifier: party } = caller;
    await openUpload(this.#context, party, transferId, { purpose, size, sha256, name });
    const content = { size, sha256 };
    const { url, headers } = await this.#context.vault.uploadLink(name, content, LINK_SECONDS, { party });
    return { transferId, uploadUrl: url, headers };
  }

  async received(caller: Caller, transferId: string, purpose: TransferPurpose): Promise<Bytes> {
    return await readWhole(this.#context, await this.receivedObject(caller, transferId, purpose));
  }

  async receivedObject(caller: Caller, transferId: string, purpose: TransferPurpose): Promise<ObjectRef> {
    const item = await this.#context.ledger.get(ledgerKeys.transfer(caller.identifier, transferId));
    if (item === undefined)
      refuse(
        'requestUnknown',
        'no transfer of this caller has this transferId, or its day is over: send the content again',
        {
          subjectIdentifier: transferId,
        },
      );
    const opened = transferRecord.from(item);
    // another use has another limit of size
    if (opened.purpose !== purpose)
      refuse('transferInvalid', `the transfer was opened for ${opened.purpose}, not for ${purpose}`, {
        subjectIdentifier: transferId,
      });
    const { name, size, sha256, destroyed } = opened;
    if (destroyed !== undefined) return { name, version: destroyed, size, sha256 };
    const ref = await this.#context.vault.head(name);
    if (ref === undefined || ref.size !== size || ref.sha256 !== sha256) {
      refuse('requestUnknown', 'the content of this transfer has not arrived', {
        subjectIdentifier: transferId,
      });
    }
    return ref;
  }

  async requireMayUse(caller: Caller, { operation, holder, name }: UsedLink): Promise<void> {
    if (holder?.party !== caller.identifier)
      refuse('transferInvalid', 'the transfer link was made for another party');
    if (operation === 'upload') {
      const transferId = uploadedAs({ name }) ?? '';
      const item = await this.#context.ledger.get(ledgerKeys.transfer(caller.identifier, transferId));
      const record = item && transferRecord.from(item);
      if (record === undefined || record.inUse === true || record.destroyed !== undefined)
        refuse('transferInvalid', 'what the transfer link fills is used already, or its day is over');
      return;
    }
    const part = holder.asked && (await this.#partOf(caller, holder.asked));
    if (part?.name !== name)
      refuse('transferInvalid', 'the answer has no such part now; fetch its manifest again');
  }

  async getTransfer(
    caller: Caller,
    { requestId, name }: { requestId: string; name: string },
  ): Promise<{ downloadUrl: string; size: number; sha256: string }> {
    const part = await this.#partOf(caller, { requestId, name });
    const holder = { party: caller.identifier, asked: { requestId, name } };
    const downloadUrl = await this.#context.vault.downloadUrl(part, LINK_SECONDS, holder);
    return { downloadUrl, size: part.size, sha256: part.sha256 };
  }

  /** What the caller may fetch now under this name: withheld where trust was withdrawn since. */
  async #partOf(
    caller: Caller,
    { requestId, name }: { requestId: string; name: string },
  ): Promise<ObjectRef> {
    if (name !== REJECTED) return await this.#delivery.partNamed(caller, requestId, name);
    return await (caller.role === 'eum' ? this.#ingest : this.#reports).resultOf(caller, requestId);
  }
}
