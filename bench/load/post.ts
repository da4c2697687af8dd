import { type Agent, request } from 'node:https';

/** Who calls, and where. PEM. */
export interface PartyEnd {
  readonly port: number;
  readonly ca: string;
  readonly tls: { readonly cert: string; readonly key: string };
}

/** HTTP status of a call of Esbpp. */
export function post(
  { port, ca, tls }: PartyEnd,
  name: string,
  type: string,
  body: string | Uint8Array,
  by: Agent,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'x-admin-protocol': 'ifpp-draft/v1.0.0' };
    const outgoing = request(
      `https://127.0.0.1:${port}/ifpp-draft1/esbpp/${name}`,
      { method: 'POST', ca, ...tls, agent: by, headers, timeout: 60_000 },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
        response.once('error', reject);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within a minute')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
