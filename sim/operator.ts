import { compactVerify, importJWK, type JWK } from 'jose';
import type { Bytes } from '../shared/codec/bytes.ts';
import { type ClientOptions, executed, FunctionClient, type JsonObject } from './http.ts';
import { openRows } from './output-rows.ts';
import { SimError } from './tlv.ts';

/** Members of prepareProfiles; `template` is the Unprotected Profile Package that the profiles are made from. */
export interface ProfileOrder {
  readonly orderId: string;
  readonly profileType: string;
  readonly quantity: number;
  /** Device manufacturers that may ask for these profiles. */
  readonly requesterDms: readonly string[];
  readonly template: Bytes;
  readonly personalisation: JsonObject;
  readonly eligibility: JsonObject;
  readonly metadata: JsonObject;
  /** Public JWK that the rows for the HSS are encrypted to. */
  readonly outputKey?: JsonObject;
  readonly callbackUrl?: string;
  /** Notices that a call to callbackUrl may carry, 1 to 100: each call has an array then. */
  readonly callbackBatch?: number;
}

/** The Operator's end of ES2f. */
export class Operator {
  readonly client: FunctionClient;

  constructor(options: ClientOptions) {
    this.client = new FunctionClient(options);
  }

  async prepareProfiles({ template, ...order }: ProfileOrder): Promise<JsonObject> {
    return executed(await this.client.submit('es2f', 'prepareProfiles', 'template', template, order));
  }

  getOrderStatus(orderId: string, page: { cursor?: string; limit?: number } = {}): Promise<JsonObject> {
    return this.client.execute('es2f', 'getOrderStatus', { orderId, ...page });
  }

  cancelOrder(
    orderId: string,
    finalProfileStatusIndicator: 'Available' | 'Unavailable',
    iccid?: string,
  ): Promise<JsonObject> {
    return this.client.execute('es2f', 'cancelOrder', {
      orderId,
      finalProfileStatusIndicator,
      ...(iccid === undefined ? {} : { iccid }),
    });
  }

  /** JWKs of the server: what it signs callbacks, reports and manifests under, and what rows are encrypted to. */
  serverKeys(): Promise<JsonObject> {
    return this.client.execute('es2f', 'getServerKeys', {});
  }

  closeOrder(orderId: string): Promise<JsonObject> {
    return this.client.execute('es2f', 'closeOrder', { orderId });
  }

  releaseProfile(orderId: string, iccid: string): Promise<JsonObject> {
    return this.client.execute('es2f', 'releaseProfile', { orderId, iccid });
  }

  replaceProfile(orderId: string, iccid: string): Promise<JsonObject> {
    return this.client.execute('es2f', 'replaceProfile', { orderId, iccid });
  }

  /** The output rows of an order, pack by pack: JSON lines, one for each profile. Throws where a pack is not in its place. */
  async *orderOutput(orderId: string, privateJwk: JWK): AsyncGenerator<string> {
    for (let pack = 0, packs = 1; pack < packs; pack++) {
      const answer = await this.client.execute('es2f', 'getOrderOutput', { orderId, pack });
      packs = Number(answer.packs);
      const { header, rows } = await openRows(String(answer.jwe), privateJwk);
      if (header.order !== orderId || header.pack !== pack || !(pack < Number(header.packs)))
        throw new SimError(`the output rows of pack ${pack} are those of another place`);
      yield rows;
    }
  }

  /** The parts of the signed report about an order, each verified with the server's report key and in its place. */
  async *orderReport(orderId: string): AsyncGenerator<JsonObject> {
    const { reportKey, longTermKeys } = await this.client.execute('es2f', 'getServerKeys', {});
    const key = await importJWK(reportKey as JWK, 'ES256');
    let cursor: string | undefined;
    let next = 0;
    do {
      const page = cursor === undefined ? {} : { cursor };
      const answer = await this.client.execute('es2f', 'getOrderReport', { orderId, ...page });
      const report = String(answer.report);
      const { payload } = await compactVerify(report, key);
      if (Array.isArray(longTermKeys))
        await verifySecondSignature(String(answer.longTermSignature), report, longTermKeys as JWK[]);
      const part = JSON.parse(Buffer.from(payload).toString('utf8')) as JsonObject;
      if (part.orderId !== orderId || part.from !== next)
        throw new SimError('a part of the report is that of another place');
      next = Number(part.to);
      yield part;
      cursor = answer.cursor as string | undefined;
    } while (cursor !== undefined);
  }
}

/** A server that publishes long-term keys (ML-DSA-65) signs each part once more, by a JWS whose content is the report. */
async function verifySecondSignature(jws: string, report: string, keys: readonly JWK[]): Promise<void> {
  const [head = '', content, signature] = jws.split('.');
  const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString('utf8'));
  const jwk = keys.find(({ kid }) => kid === Object(header).kid);
  if (content !== '' || jwk === undefined) throw new SimError('the report is not signed by a long-term key');
  const whole = `${head}.${Buffer.from(report).toString('base64url')}.${signature}`;
  await compactVerify(whole, await importJWK(jwk, 'ML-DSA-65'), { algorithms: ['ML-DSA-65'] });
}
