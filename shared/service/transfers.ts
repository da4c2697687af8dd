import { type Bytes, toHex } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import type { ObjectRef } from '../vault/vault.ts';
import type { Context } from './context.ts';
import type { DeliveryService } from './delivery.ts';
import type { IngestService } from './ingest.ts';
import { ledgerKeys } from './records/keys.ts';
import type { Caller, Transfers } from './services.ts';

/** Seconds for which a transfer URL holds. */
const UPLOAD_SECONDS = 3_600;
const DOWNLOAD_SECONDS = 3_600;
const MAX_UPLOAD = 1 << 30;
/** Name of the result object of a batch of eUICC data, whose batchId stands for the requestId. */
const REJECTED = 'rejected';

const UPLOADS = 'uploads/';

/** The transferId of an object that came by a transfer; undefined for others. */
export const uploadedAs = ({ name }: ObjectRef): string | undefined =>
  name.startsWith(UPLOADS) ? name.slice(UPLOADS.length) : undefined;

/** Bodies and answers above the inline limit, as objects bound to their size and SHA-256. */
export class TransferService implements Transfers {
  readonly #context: Context;
  readonly #delivery: DeliveryService;
  readonly #ingest: IngestService;

  constructor(context: Context, delivery: DeliveryService, ingest: IngestService) {
    this.#context = context;
    this.#delivery = delivery;
    this.#ingest = ingest;
  }

  async openTransfer(
    caller: Caller,
    { purpose, size, sha256 }: { purpose: string; size: number; sha256: string },
  ): Promise<{ transferId: string; uploadUrl: string }> {
    if (size < 1 || size > MAX_UPLOAD) refuse('tooLarge', `an upload has 1 to ${MAX_UPLOAD} octets`);
    const transferId = toHex(this.#context.random(16));
    const name = `${UPLOADS}${transferId}`;
    await this.#context.ledger.write({
      put: ledgerKeys.transfer(caller.identifier, transferId),
      attributes: { purpose, size, sha256, name, openedAt: this.#context.now() },
      when: 'absent',
    });
    return {
      transferId,
      uploadUrl: await this.#context.vault.uploadUrl(name, { size, sha256 }, UPLOAD_SECONDS),
    };
  }

  async received(caller: Caller, transferId: string): Promise<Bytes> {
    return await this.#context.vault.get(await this.receivedObject(caller, transferId));
  }

  async receivedObject(caller: Caller, transferId: string): Promise<ObjectRef> {
    const item = await this.#context.ledger.get(ledgerKeys.transfer(caller.identifier, transferId));
    if (item === undefined)
      refuse('requestUnknown', 'no transfer of this caller has this transferId', {
        subjectIdentifier: transferId,
      });
    const { name, size, sha256, destroyed } = item.attributes as {
      name: string;
      size: number;
      sha256: string;
      destroyed?: string;
    };
    if (destroyed !== undefined) return { name, version: destroyed, size, sha256 };
    const ref = await this.#context.vault.head(name);
    if (ref === undefined || ref.size !== size || ref.sha256 !== sha256) {
      refuse('requestUnknown', 'the content of this transfer has not arrived', {
        subjectIdentifier: transferId,
      });
    }
    return ref;
  }

  async getTransfer(
    caller: Caller,
    { requestId, name }: { requestId: string; name: string },
  ): Promise<{ downloadUrl: string; size: number; sha256: string }> {
    const part =
      caller.role === 'eum' && name === REJECTED
        ? await this.#ingest.resultOf(caller, requestId)
        : await this.#delivery.partNamed(caller, requestId, name);
    const downloadUrl = await this.#context.vault.downloadUrl(part, DOWNLOAD_SECONDS);
    return { downloadUrl, size: part.size, sha256: part.sha256 };
  }
}
