import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import type { Destinations } from './destinations.ts';

/** Fetches the octets of a URL; a Fault where that fails, with a message that is safe to log. */
export type FetchOctets = (url: string) => Promise<Bytes>;

export interface FetchLimits {
  /** For the whole answer. */
  readonly timeoutMs: number;
  readonly maxOctets: number;
}

/**
 * GET by http or https, with limits on time and size. Redirects are not followed: what may be fetched is what a
 * verified certificate names, where that is no address inside this network, and nothing that the answering server would
 * like us to ask for.
 */
export function httpFetch({ timeoutMs, maxOctets }: FetchLimits, destinations: Destinations): FetchOctets {
  return async (url) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await answerOf(url, destinations, signal);
      if (response.statusCode !== 200) {
        response.destroy();
        throw new Fault('configuration', `the server answered ${response.statusCode}`, { retryable: true });
      }
      return await read(response, maxOctets);
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw new Fault('configuration', 'the server did not answer in time', { cause, retryable: true });
    }
  };
}

function answerOf(url: string, destinations: Destinations, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    destinations.request(url, { signal }).on('response', resolve).on('error', reject).end();
  });
}

async function read(body: AsyncIterable<Uint8Array>, maxOctets: number): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // leaving the loop by an exception cancels the rest of the answer
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxOctets) throw new Fault('configuration', `the answer has more than ${maxOctets} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
