import { type Bytes, toHex } from '../shared/codec/bytes.ts';
import {
  type ClientOptions,
  type FunctionAnswer,
  FunctionClient,
  type JsonObject,
  type SentFile,
} from './http.ts';

/** The EUM's end of Esed1. */
export class EumClient {
  readonly client: FunctionClient;

  constructor(options: ClientOptions) {
    this.client = new FunctionClient(options);
  }

  /** A whole EuiccDataBatch (FF60); the answer counts what was accepted and lists what was not. */
  registerEuiccData(euiccDataBatch: Bytes | SentFile): Promise<FunctionAnswer> {
    return this.client.submit('esed1', 'registerEuiccData', 'euiccData', euiccDataBatch);
  }

  closeKeys(items: readonly { eid: string; keyId: Bytes }[]): Promise<JsonObject> {
    return this.client.execute('esed1', 'closeKeys', {
      items: items.map(({ eid, keyId }) => ({ eid, keyId: toHex(keyId) })),
    });
  }
}
