import { setTimeout as sleep } from 'node:timers/promises';
import { type Bytes, toHex } from '../shared/codec/bytes.ts';
import {
  base64,
  type ClientOptions,
  type FunctionAnswer,
  FunctionClient,
  type JsonObject,
  stringAt,
} from './http.ts';
import { type BppRequest, encodeBppRequest } from './ifpp-draft1.ts';
import { SimError } from './tlv.ts';

/** The device manufacturer's end of Esbpp. */
export class DeviceMaker {
  readonly client: FunctionClient;

  constructor(options: ClientOptions) {
    this.client = new FunctionClient(options);
  }

  /** Asks for BPPs and waits for the batch (FF62), whichever way the server answers; at most `timeoutMs`. */
  async requestBpp(
    request: BppRequest,
    options: { timeoutMs?: number; pollMs?: number } = {},
  ): Promise<Bytes> {
    const deadline = Date.now() + (options.timeoutMs ?? 60_000);
    let answer = await this.client.execute('esbpp', 'requestBpp', {
      bppRequest: base64(encodeBppRequest(request)),
    });
    for (;;) {
      const batch = stringAt(answer, 'bppBatch');
      if (batch !== undefined) return Buffer.from(batch, 'base64');
      if (stringAt(answer, 'state') !== 'Pending') throw new SimError('no bppBatch in the answer');
      if (Date.now() > deadline) throw new SimError('the BPPs did not come in time');
      await sleep(options.pollMs ?? 200);
      answer = await this.client.execute('esbpp', 'getBppBatch', { requestId: toHex(request.requestId) });
    }
  }

  /** The same call without waiting or throwing on Failed: the answer as it is. */
  callRequestBpp(bppRequest: Bytes): Promise<FunctionAnswer> {
    return this.client.call('esbpp', 'requestBpp', { bppRequest: base64(bppRequest) });
  }

  sendProfileLoadingReport(reportId: Bytes, report: Bytes): Promise<JsonObject> {
    return this.client.execute('esbpp', 'sendProfileLoadingReport', {
      reportId: toHex(reportId),
      profileLoadingReport: base64(report),
    });
  }

  /** DMF03: tells that unused keys were deleted; nothing is bound to them afterwards. */
  closeKeys(items: readonly { eid: string; keyId: Bytes }[]): Promise<JsonObject> {
    return this.client.execute('esbpp', 'closeKeys', {
      items: items.map(({ eid, keyId }) => ({ eid, keyId: toHex(keyId) })),
    });
  }
}

/** A device in the field: ES9+, no client certificate, trusted by the eUICC's signature alone. */
export class FieldDevice {
  readonly client: FunctionClient;

  constructor(options: Omit<ClientOptions, 'functionRequesterIdentifier'>) {
    this.client = new FunctionClient({ ...options, functionRequesterIdentifier: '' });
  }

  /** pendingNotification is a whole BF37 or OtherSignedNotification. */
  handleNotification(pendingNotification: Bytes): Promise<FunctionAnswer> {
    return this.client.call('es9plus', 'handleNotification', {
      pendingNotification: base64(pendingNotification),
    });
  }
}
