import { type Bytes, equal, toHex } from '../../shared/codec/bytes.ts';
import { readSingleTlv } from '../../shared/codec/tlv.ts';
import { refuse } from '../../shared/errors.ts';
import { encodeBppBatch } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { decodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { decodeEuiccDataBatch } from '../../shared/ifpp-draft1/euicc-data-batch.ts';
import { decodeProfileLoadingReport } from '../../shared/ifpp-draft1/profile-loading-report.ts';
import { decodeCrl } from '../../shared/pki/crl.ts';
import type { Caller, PartyRole } from '../../shared/service/api/caller.ts';
import type { OrderInput, OrderStatus } from '../../shared/service/api/es2f.ts';
import type { BppAnswer } from '../../shared/service/api/esbpp.ts';
import type { ItemRefusal } from '../../shared/service/api/item-refusal.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { STATUS_CODES, type StatusName } from '../../shared/status-codes.ts';
import type { ObjectRef } from '../../shared/vault/vault.ts';

/** What the services were asked to keep; bodies are what really came through. */
export interface MemoryServices extends Services {
  readonly register: Map<string, Caller>;
  readonly received: Bytes[];
  readonly ordersByOwner: Map<string, OrderInput>;
}

export const IDENTIFIERS: Readonly<Record<PartyRole, string>> = {
  eum: '2.999.40',
  deviceMaker: '2.999.50',
  operator: '2.999.60',
  auditor: '2.999.70',
  viewer: '2.999.90',
  administrator: '2.999.80',
};

const refusal = (code: StatusName): ItemRefusal => ({
  code,
  subjectCode: STATUS_CODES[code].subject,
  reasonCode: STATUS_CODES[code].reason,
  message: STATUS_CODES[code].meaning,
});

/** What a service in memory does not have is refused, so that a new method waits for nobody here. */
function inMemory<Service extends object>(methods: Partial<Service>): Service {
  const refused = async () => refuse('protocolFormat', 'the services in memory do not have this');
  return new Proxy(methods, { get: (of, name) => Reflect.get(of, name) ?? refused }) as Service;
}

/**
 * Services in memory: they decode with the real decoders and keep owners apart, and they bind and verify nothing.
 * For tests of what stands in front of the services.
 */
export function memoryServices(): MemoryServices {
  const register = new Map<string, Caller>();
  const received: Bytes[] = [];
  const ordersByOwner = new Map<string, OrderInput>();
  const answers = new Map<string, { owner: string; body: Bytes; answer: BppAnswer }>();

  const order = (caller: Caller, orderId: string): OrderInput =>
    ordersByOwner.get(`${caller.identifier} ${orderId}`) ??
    refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });

  return {
    register,
    received,
    ordersByOwner,
    parties: {
      identify: async ({ fingerprint }) =>
        register.get(fingerprint) ?? refuse('requesterUnknown', 'the client certificate is not registered'),
    },
    calls: { answered: () => undefined, refused: async () => undefined },
    orders: inMemory<Services['orders']>({
      async prepareProfiles(caller, input) {
        ordersByOwner.set(`${caller.identifier} ${input.orderId}`, input);
        if (input.template instanceof Uint8Array) received.push(input.template);
        return { orderId: input.orderId, state: 'Open', quantity: input.quantity, prepared: input.quantity };
      },
      async closeOrder(caller, input) {
        return { closed: order(caller, input.orderId).quantity };
      },
      async releaseProfile(caller, input) {
        order(caller, input.orderId);
      },
      async replaceProfile(caller, input) {
        order(caller, input.orderId);
        return { iccid: '8933110000000000017', eid: '89049032123451234512345678901235' };
      },
      async getOrderReport(caller, input) {
        order(caller, input.orderId);
        return { report: 'eyJhbGciOiJFUzI1NiJ9.e30.AA' };
      },
      getServerKeys: async () => {
        const reportKey = {
          kty: 'EC',
          crv: 'P-256',
          x: 'AA',
          y: 'AA',
          use: 'sig',
          alg: 'ES256',
          kid: '0011223344556677',
        };
        return { reportKey, deliveryKeys: [reportKey] };
      },
      async cancelOrder(caller, input) {
        order(caller, input.orderId);
        const iccid = input.iccid ?? '8933110000000000009';
        return { cancelled: 1, refused: [{ iccid, ...refusal('profileStateForbids') }] };
      },
      async getOrderStatus(caller, input): Promise<OrderStatus> {
        const { orderId, quantity } = order(caller, input.orderId);
        return {
          orderId,
          state: 'Open',
          quantity,
          prepared: quantity,
          counts: { Available: quantity },
          items: [{ iccid: '8933110000000000009', state: 'Available' }],
        };
      },
      async getOrderOutput(caller, input) {
        order(caller, input.orderId);
        return { packs: 1, jwe: 'eyJhbGciOiJFQ0RILUVTIn0..aa.bb.cc' };
      },
    }),
    eligibility: inMemory<Services['eligibility']>({
      async checkEligibility(caller, { orderId, eids }) {
        order(caller, orderId);
        return eids.map((eid, i) => (i === 0 ? { eid, refusal: refusal('notEligible') } : { eid }));
      },
    }),
    ingest: inMemory<Services['ingest']>({
      async registerEuiccData(_caller, der) {
        const batch = decodeEuiccDataBatch(inCall(der));
        received.push(inCall(der));
        return {
          batchId: batch.batchId,
          state: 'Done',
          entries: batch.entries.length,
          accepted: batch.entries.length,
          rejected: [],
          rejectedCount: 0,
        };
      },
      async closeKeys(_caller, items) {
        return {
          closed: items.length,
          bound: [],
          refused: items
            .filter(({ keyId }) => keyId === undefined)
            .map(({ eid }) => ({ eid, ...refusal('eidUnknown') })),
        };
      },
    }),
    delivery: inMemory<Services['delivery']>({
      async requestBpp(caller, sent) {
        const der = inCall(sent);
        const request = decodeBppRequest(der);
        const known = answers.get(`${caller.identifier} ${request.requestId}`);
        if (known !== undefined) {
          return equal(known.body, der)
            ? known.answer
            : refuse('requestChanged', 'the requestId was used with another body');
        }
        received.push(der);
        const failed = request.items.map(({ itemId }) => ({
          itemId,
          ...refusal('notEligible'),
        }));
        const bppBatch = encodeBppBatch({
          requestId: request.requestId,
          chains: [],
          items: request.items.map(({ itemId, eid }) => ({
            itemId,
            eid,
            outcome: { kind: 'failed', subjectCode: '8.2.5', reasonCode: '4.3', message: undefined },
          })),
        });
        const answer: BppAnswer = {
          requestId: request.requestId,
          state: 'Done',
          items: request.items.length,
          processed: request.items.length,
          failed,
          bppBatch,
        };
        answers.set(`${caller.identifier} ${request.requestId}`, {
          owner: caller.identifier,
          body: der,
          answer,
        });
        return answer;
      },
      async getBppBatch(caller, { requestId }) {
        return (
          answers.get(`${caller.identifier} ${requestId}`)?.answer ??
          refuse('requestUnknown', 'no such request', { subjectIdentifier: requestId })
        );
      },
    }),
    reports: inMemory<Services['reports']>({
      async sendProfileLoadingReport(_caller, sent, named) {
        const der = inCall(sent);
        const report = decodeProfileLoadingReport(der);
        if (named !== undefined && named !== report.reportId)
          refuse('protocolFormat', 'reportId is not the one in the ProfileLoadingReport');
        received.push(der);
        return {
          reportId: report.reportId,
          state: 'Done',
          verified: report.items.length,
          noted: 0,
          rejected: [],
          rejectedCount: 0,
        };
      },
      async handleNotification(der) {
        const { tag } = readSingleTlv(der);
        if (tag !== 0xbf37 && tag !== 0x30) refuse('protocolFormat', 'not a PendingNotification');
        received.push(der);
      },
    }),
    statements: inMemory<Services['statements']>({
      getDeletionStatement: async () => ({ deletions: 0, refused: [] }),
    }),
    inventory: inMemory<Services['inventory']>({}),
    operations: inMemory<Services['operations']>({}),
    administration: inMemory<Services['administration']>({
      async addCrl(_caller, { crl }) {
        const { authorityKeyIdentifier, cRLNumber, revoked } = decodeCrl(crl);
        received.push(crl);
        return {
          isNew: true,
          issuerKeyId: toHex(authorityKeyIdentifier),
          number: cRLNumber,
          revoked: revoked.size,
          revokedEums: [],
        };
      },
    }),
    callbacks: inMemory<Services['callbacks']>({
      replayCallbacks: async () => ({ replayed: 0, more: false }),
    }),
    audit: inMemory<Services['audit']>({
      getAuditLines: async () => ({ lines: [], head: { sequence: 0, hash: '0'.repeat(64) } }),
    }),
    transfers: inMemory<Services['transfers']>({
      openTransfer: async () => ({
        transferId: 'T-1',
        uploadUrl: 'https://smdpf.example.com/transfer/t',
        headers: {},
      }),
      received: async (_caller, transferId) =>
        refuse('requestUnknown', 'no such transfer', { subjectIdentifier: transferId }),
      receivedObject: async (_caller, transferId) =>
        refuse('requestUnknown', 'no such transfer', { subjectIdentifier: transferId }),
      requireMayUse: async (caller, { holder }) => {
        if (holder?.party !== caller.identifier) refuse('transferInvalid', 'the link of another party');
      },
      getTransfer: async (_caller, { requestId }) =>
        refuse('requestUnknown', 'no such request', { subjectIdentifier: requestId }),
    }),
  };
}

/** There are no uploads here. */
const inCall = (sent: Bytes | ObjectRef): Bytes =>
  sent instanceof Uint8Array ? sent : refuse('requestUnknown', 'no such transfer');
