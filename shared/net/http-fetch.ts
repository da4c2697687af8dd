import type { Bytes } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';

/** Fetches the octets of a URL; a Fault where that fails, with a message that is safe to log. */
export type FetchOctets = (url: string) => Promise<Bytes>;

export interface FetchLimits {
  /** For the whole answer. */
  readonly timeoutMs: number;
  readonly maxOctets: number;
}

/**
 * GET by http or https, with limits on time and size. Redirects are not followed: what may be fetched is what a
 * verified certificate names, and nothing that the answering server would like us to ask for.
 */
export function httpFetch({ timeoutMs, maxOctets }: FetchLimits): FetchOctets {
  return async (url) => {
    const { protocol } = URL.parse(url) ?? { protocol: '' };
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new Fault('configuration', 'only http and https can be fetched');
    try {
      const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
      if (response.status !== 200 || response.body === null) {
        await response.body?.cancel();
        throw new Fault('configuration', `the server answered ${response.status}`, { retryable: true });
      }
      return await read(response.body, maxOctets);
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw new Fault('configuration', 'the server did not answer in time', { cause, retryable: true });
    }
  };
}

async function read(body: ReadableStream<Uint8Array>, maxOctets: number): Promise<Bytes> {
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
