import { type Agent, request } from 'node:https';

/** Who calls, and where. PEM. */
export interface PartyEnd {
  readonly port: number;
  readonly ca: string;
  readonly tls: { readonly cert: string; readonly key: string };
}

/** What came of a call; `told` is its status codes, such as 1.2/6.4, or `done`. */
export interface Told {
  readonly told: string;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

/** Of a connection that ended without an answer. */
export const UNANSWERED: Told = { told: 'unanswered', retryAfter: undefined };

/** A call of Esbpp. A refusal is one whatever its HTTP status: that of a rate is 200. */
export function post(
  { port, ca, tls }: PartyEnd,
  name: string,
  type: string,
  body: string | Uint8Array,
  by: Agent,
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'x-admin-protocol': 'ifpp-draft/v1.0.0' };
    const outgoing = request(
      `https://127.0.0.1:${port}/ifpp-draft1/esbpp/${name}`,
      { method: 'POST', ca, ...tls, agent: by, headers, timeout: 60_000 },
      (response) => {
        // a refusal is short, and what is long is done
        let head = '';
        response.setEncoding('latin1').on('data', (text: string) => {
          if (head.length < HEAD) head += text.slice(0, HEAD);
        });
        response.once('end', () => {
          const { 'retry-after': retryAfter } = response.headers;
          resolve({
            told: outcomeOf(response.statusCode, response.headers['content-type'], head),
            retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
          });
        });
        response.once('error', reject);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within a minute')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const HEAD = 4_096;

function outcomeOf(status: number | undefined, type: string | undefined, head: string): string {
  if (status === 200 && type?.startsWith('application/octet-stream') === true) return 'done';
  const [, subject] = /"subjectCode":"([\d.]+)"/.exec(head) ?? [];
  const [, reason] = /"reasonCode":"([\d.]+)"/.exec(head) ?? [];
  if (subject !== undefined) return `${subject}/${reason}`;
  return status === 200 && head.includes('"Executed-Success"') ? 'done' : `HTTP ${status}`;
}
