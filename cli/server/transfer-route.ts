import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { CallCost, counting } from '../../shared/call-cost.ts';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { callFailure } from '../../shared/gsma/failure.ts';
import { writeFailure } from '../../shared/gsma/http-answer.ts';
import { identifyCaller } from '../../shared/gsma/identify-caller.ts';
import { ifPresent, present } from '../../shared/present.ts';
import type { Services } from '../../shared/service/api/services.ts';
import type { Transfer, TransferGate } from '../../shared/vault/transfer.ts';
import type { AdmittedTransfer, PartyAdmission } from './admission/party-admission.ts';
import { certificateOf } from './function-route.ts';
import type { Route } from './listener.ts';
import { parseRange } from './range.ts';
import { respond, respondRefusal } from './respond.ts';
import { TIMEOUTS } from './timeouts.ts';

export const TRANSFER_PREFIX = '/transfer/';

/** In the log alone, as nginx writes it: the peer left before it was answered. */
const PEER_GONE = 499;

/**
 * `PUT` and `GET /transfer/<token>`: what presigned URLs are on S3, but for the party alone that the link was made for,
 * known by its client certificate, and only as long as it may have what the link leads to (I6, I7). The token is never
 * logged; octets are streamed both ways.
 *
 * 200 stored or whole, 206 a range, 400 not the announced content, 403 a token that is not ours, has
 * expired or is another party's, 405
 * not what the token is for, 416 a range outside the object.
 */
export function transferRoute(
  vault: TransferGate,
  services: Pick<Services, 'parties' | 'transfers'>,
  admission: Pick<PartyAdmission, 'transfer'>,
  log: Log,
): Route {
  return async (request, response, path) => {
    const startedAt = performance.now();
    request.setTimeout(TIMEOUTS.idle, () => request.destroy());
    let name = 'transfer';
    let admitted: AdmittedTransfer | undefined;
    const cost = new CallCost();
    try {
      const transfer = vault.openTransfer(path.slice(TRANSFER_PREFIX.length), new Date());
      name = `transfer.${transfer.operation}`;
      const caller = await identifyCaller(services.parties, { clientCertificate: certificateOf(request) });
      admitted = await admission.transfer(request, caller.identifier);
      const { pace } = admitted;
      const { operation, holder } = transfer;
      const link = { operation, holder, name: operation === 'download' ? transfer.ref.name : transfer.name };
      await counting(cost, () => services.transfers.requireMayUse(caller, link));
      if (transfer.operation === 'upload') await upload(request, response, transfer, pace);
      else await download(request, response, transfer, pace);
    } catch (error) {
      failed(request, response, error, name, log);
    } finally {
      admitted?.end(cost.reads);
      const durationMs = Math.round(performance.now() - startedAt);
      const httpStatus = response.headersSent ? response.statusCode : PEER_GONE;
      log({ event: 'call', function: name, httpStatus, durationMs });
    }
  };
}

async function upload(
  request: IncomingMessage,
  response: ServerResponse,
  transfer: Extract<Transfer, { operation: 'upload' }>,
  pace: AdmittedTransfer['pace'],
): Promise<void> {
  if (request.method !== 'PUT') {
    respondRefusal(request, response, 405, 'functionUnsupported', 'this link takes a PUT', 'PUT');
    return;
  }
  await transfer.accept(paced(request.iterator({ destroyOnReturn: false }) as AsyncIterable<Bytes>, pace));
  respond(request, response, { httpStatus: 200, headers: {}, body: '' });
}

async function download(
  request: IncomingMessage,
  response: ServerResponse,
  { ref, read }: Extract<Transfer, { operation: 'download' }>,
  pace: AdmittedTransfer['pace'],
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    respondRefusal(request, response, 405, 'functionUnsupported', 'this link takes a GET', 'GET, HEAD');
    return;
  }
  const range = parseRange(request.headers.range, ref.size);
  if (range === 'unsatisfiable') {
    const headers = { 'content-range': `bytes */${ref.size}` };
    respond(request, response, { httpStatus: 416, headers, body: '' });
    return;
  }
  const chunks = read(range)[Symbol.asyncIterator]();
  // Before the head, so that an object that is gone is answered and not just cut off.
  const first = request.method === 'HEAD' ? undefined : await chunks.next();
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': range?.length ?? ref.size,
    'accept-ranges': 'bytes',
    etag: `"${ref.sha256}"`,
    'cache-control': 'no-store',
    ...present({
      'content-range': ifPresent(
        range,
        ({ offset, length }) => `bytes ${offset}-${offset + length - 1}/${ref.size}`,
      ),
    }),
  });
  if (first === undefined) response.end();
  else await pipeline(paced(rejoin(first, chunks), pace), response);
}

/** Holds each stretch back for as long as the party has moved too much. */
async function* paced(chunks: AsyncIterable<Bytes>, pace: AdmittedTransfer['pace']): AsyncGenerator<Bytes> {
  for await (const chunk of chunks) {
    await pace(chunk.length);
    yield chunk;
  }
}

async function* rejoin(first: IteratorResult<Bytes>, rest: AsyncIterator<Bytes>): AsyncGenerator<Bytes> {
  for (let chunk = first; chunk.done !== true; chunk = await rest.next()) yield chunk.value;
}

/** HTTP status of the refusals of a vault's links; anything else is a fault of ours. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  transferInvalid: 403,
  transferExpired: 403,
  requesterUnknown: 403,
  requesterNotAllowed: 403,
  requestUnknown: 403,
  rateExceeded: 429,
  serverBusy: 503,
  transferMismatch: 400,
};

function failed(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  name: string,
  log: Log,
): void {
  if (peerLeft(error)) {
    request.destroy();
    return;
  }
  const failure = callFailure(error, randomUUID);
  if (failure.incident !== undefined) {
    log({ event: 'fault', incident: failure.incident, function: name, errors: errorRecords(error) });
  }
  // In the middle of a download only a broken connection can still say that it failed.
  if (response.headersSent) response.destroy();
  else {
    const httpStatus = error instanceof Refusal ? (HTTP_STATUS[error.code] ?? 400) : 500;
    respond(request, response, writeFailure({ ...failure, httpStatus }));
  }
}

const PEER_LEFT = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'];

/** True where the connection broke, whoever wrapped that error: nobody is left to answer, nothing went wrong here. */
function peerLeft(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && PEER_LEFT.includes(String(error.code))) || peerLeft(error.cause);
}
