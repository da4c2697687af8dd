import { Agent } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { constants, setPriority } from 'node:os';
import { connect } from 'node:tls';
import { post, UNANSWERED } from './post.ts';

export interface LoadData {
  readonly ports: { readonly parties: number; readonly field: number };
  readonly ca: string;
  readonly poller: {
    readonly identifier: string;
    readonly tls: { readonly cert: string; readonly key: string };
  };
  /** Of the finished job. */
  readonly requestId: string;
  readonly strangers: number;
  readonly pollers: number;
}

/** What came of the polls: answered, sent away with Retry-After, and all others by what they were told. */
export interface LoadCounts {
  polls: number;
  shed: number;
  readonly others: Record<string, number>;
}

/** A ProfileInstallationResult of 3.9 MB, as its JSON. */
const NOTIFICATION = Buffer.from(
  JSON.stringify({ pendingNotification: Buffer.alloc(2_900_000, 0xbf).toString('base64') }),
);
const FIELD = '/gsma/rsp2/es9plus/handleNotification';
/** What strangers send: half bodies on either port, and whole notifications. */
const STRANGERS = [
  { to: 'parties', path: '/ifpp-draft1/esbpp/requestBpp', octets: 1_000_000 },
  { to: 'field', path: FIELD, octets: 1_000_000 },
  { to: 'field', path: FIELD, octets: NOTIFICATION.length },
] as const;
/** Milliseconds between connections of one stranger: what is refused before TLS would try again at once. */
const AGAIN_MS = 200;

/** A party above its rate, and a server that is busy. */
const BUSY = ['1.1/6.4', '1.2/6.4'];

let stopped = false;
const counts: LoadCounts = { polls: 0, shed: 0, others: {} };
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

/** Tells `under way` after each poll, and its counts at the end. */
process.on('message', (message: LoadData | 'stop') => {
  if (message === 'stop') {
    stopped = true;
    process.send?.(counts);
  } else start(message);
});

function start({ ports, ca, poller, requestId, strangers, pollers }: LoadData): void {
  const poll = JSON.stringify({
    header: { functionRequesterIdentifier: poller.identifier, functionCallIdentifier: 'poll' },
    requestId,
  });
  const end = { port: ports.parties, ca, tls: poller.tls };
  for (let i = 0; i < strangers; i++) {
    const kind = STRANGERS[i % STRANGERS.length]!;
    void until(() => stranger(ports[kind.to], kind.path, kind.octets, ca));
  }
  for (let i = 0; i < pollers; i++) {
    const own = new Agent({ keepAlive: true, maxSockets: 1 });
    void until(async () => {
      const { told, retryAfter } = await post(end, 'getBppBatch', 'application/json', poll, own).catch(
        () => UNANSWERED,
      );
      process.send?.('under way');
      if (told === 'done') {
        counts.polls += 1;
        return;
      }
      if (BUSY.includes(told) && retryAfter !== undefined) counts.shed += 1;
      else counts.others[told] = (counts.others[told] ?? 0) + 1;
      // whatever it was told
      await pause(1_000);
    });
  }
}

async function until(work: () => Promise<unknown>): Promise<void> {
  while (!stopped) await work();
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A call of 3.9 MB by who is no party, up to an octet, from an address that is not the parties'. */
function stranger(port: number, path: string, octets: number, ca: string): Promise<void> {
  return new Promise((resolve) => {
    const under = connectTcp({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    under.on('error', () => undefined);
    const socket = connect({ ca, socket: under });
    const done = () => {
      socket.destroy();
      setTimeout(resolve, AGAIN_MS);
    };
    socket.on('error', done);
    socket.on('close', done);
    socket.setTimeout(3_000, done);
    socket.resume();
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-admin-protocol: ifpp-draft/v1.0.0\r\ncontent-length: ${NOTIFICATION.length}\r\n\r\n`,
    );
    socket.write(NOTIFICATION.subarray(0, octets));
  });
}
