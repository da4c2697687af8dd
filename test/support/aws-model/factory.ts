import type { FunctionHandler } from '../../../lambdas/api-gateway.ts';
import type { KeyUse } from '../../../shared/keys/registry.ts';
import { becomes, changeItem } from '../../../shared/ledger/change.ts';
import type { Ledger } from '../../../shared/ledger/ledger.ts';
import { openRuntime, type Runtime } from '../../../shared/runtime.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import type { OrderInput } from '../../../shared/service/api/es2f.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { orderRecord, supplyRecord } from '../../../shared/service/records/order.ts';
import { LANE_LENGTH, SHARERS_WHO_MEET } from '../../../shared/service/supply/lane-laying.ts';
import { encodeBppRequest, type PersonalisedEuicc } from '../../../sim/index.ts';
import { prepare, registered } from '../../service/scenario.ts';
import { DEVICE_MAKER, Deployment } from '../deployment.ts';
import { callHandler, handlerOf, jsonOf } from '../function-call.ts';
import { heldKeys } from '../held-keys.ts';
import { selfSigned } from '../self-signed.ts';
import { modelStores, type Watched } from './stores.ts';

/** A call of a key service, beside those of the stores. */
export type UsedKey = (operation: 'sign' | 'unwrapDataKey') => Promise<void>;

const ORDER = 'TIMED';
/** That a call takes too long is measured by the machine's clock, and none of what is tested on the model. */
const AN_HOUR_MS = 3_600_000;
/** More than lanes are shortened for. */
const FAR_AWAY = 2 * SHARERS_WHO_MEET * LANE_LENGTH;

/** A factory that asks for one profile at a time, of a deployment on models of AWS. */
export class ModelFactory {
  readonly certificate = selfSigned('device manufacturer');
  readonly stores: ReturnType<typeof modelStores>;
  readonly deployment: Deployment;
  readonly #euiccs: PersonalisedEuicc[];

  private constructor(
    deployment: Deployment,
    stores: ReturnType<typeof modelStores>,
    euiccs: PersonalisedEuicc[],
  ) {
    this.deployment = deployment;
    this.stores = stores;
    this.#euiccs = euiccs;
  }

  /**
   * With eUICCs and, where nothing else is said, profiles for so many calls. `unlimited`: as though the order had many more,
   * so that its end is far away, and that of each share; none of those can be bound.
   */
  static async open(
    watched: Watched,
    calls: number,
    {
      profiles = calls,
      unlimited = false,
      order = {},
      ...config
    }: Partial<RuntimeConfig> & {
      readonly profiles?: number;
      readonly unlimited?: boolean;
      readonly order?: Partial<OrderInput>;
    } = {},
  ) {
    const stores = modelStores(watched);
    const deployment = await Deployment.create({ stores, config });
    await prepare(deployment, ORDER, profiles, order);
    if (unlimited) await moveEndAway(stores.ledger, profiles);
    const factory = new ModelFactory(deployment, stores, await registered(deployment, calls));
    const { identifier, role } = DEVICE_MAKER;
    const party = { identifier, role, name: 'factory' };
    await deployment.runtime.services.parties.add(factory.certificate.fingerprint, party, 'test');
    return factory;
  }

  /** An execution environment of the Lambda behind `esbpp.requestBpp`. */
  async environment(used: UsedKey, onKeyUse?: (use: KeyUse) => void): Promise<Environment> {
    const { ledger, vault, ppks } = this.stores;
    const { config } = this.deployment;
    const runtime = await openRuntime(config, {
      stores: { ledger, vault, ppks },
      keys: heldKeys(config, used, onKeyUse),
      lanes: 'none',
    });
    return new Environment(runtime, this);
  }

  /** A request for an eUICC that none was sent for yet. */
  nextRequest(requestId: Uint8Array): Uint8Array {
    const { eid } = this.#euiccs.pop()!;
    return encodeBppRequest({ requestId, orderId: ORDER, items: [{ itemId: 1, eid }] });
  }

  async close(): Promise<void> {
    await this.deployment.close();
  }
}

async function moveEndAway(ledger: Ledger, profiles: number): Promise<void> {
  await changeItem(ledger, ledgerKeys.orderSupply(ORDER), (item) =>
    becomes(supplyRecord.to({ ...supplyRecord.from(item!), end: profiles + FAR_AWAY })),
  );
  await changeItem(ledger, ledgerKeys.order(ORDER), (item) => {
    const order = orderRecord.from(item!);
    const shares = Object.entries(order.shares ?? {}).map(([maker, share]) => [maker, share + FAR_AWAY]);
    return becomes(orderRecord.to({ ...order, ...(order.shares && { shares: Object.fromEntries(shares) }) }));
  });
}

export class Environment {
  readonly runtime: Runtime;
  readonly #factory: ModelFactory;
  readonly #handler: FunctionHandler;

  constructor(runtime: Runtime, factory: ModelFactory) {
    this.runtime = runtime;
    this.#factory = factory;
    this.#handler = handlerOf('esbpp.requestBpp', runtime.services);
  }

  /** The status of the answer, and how many items failed. */
  async call(requestId: Uint8Array): Promise<string> {
    const { certificate } = this.#factory;
    const raw = this.#factory.nextRequest(requestId);
    const headers = { 'content-type': 'application/octet-stream' };
    const call = { certificate, raw, headers };
    const result = await callHandler(this.#handler, 'esbpp.requestBpp', call, AN_HOUR_MS);
    // what follows each call (lambdas/runtime.ts, settle)
    await this.runtime.context.notifier.flush();
    await this.runtime.keyUses.roundIfDue();
    const { header, state, failed } = jsonOf(result);
    const { status, statusCodeData } = header.functionExecutionStatus;
    return statusCodeData?.message ?? `${status} ${state} ${JSON.stringify(failed ?? [])}`;
  }
}
