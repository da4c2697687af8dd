import type { Callbacks } from '../api/admin.ts';
import type { CallbackHealth } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { ClientCertificate } from './client-certificate.ts';
import { callbackHealth } from './health.ts';
import { replayParked } from './replay.ts';

/** What people do about callbacks: look how they are, have parked ones posted again, care for the client certificate. */
export class CallbackService implements Callbacks {
  readonly #context: Context;
  readonly client: ClientCertificate;

  constructor(context: Context) {
    this.#context = context;
    this.client = new ClientCertificate(context);
  }

  health(orderId?: string): Promise<CallbackHealth> {
    return callbackHealth(this.#context, orderId);
  }

  replayCallbacks: Callbacks['replayCallbacks'] = (by, input) => replayParked(this.#context, input, by);

  tellEnding(): Promise<void> {
    return this.client.tellEnding(this.#context.log);
  }
}
