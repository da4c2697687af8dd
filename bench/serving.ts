import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** `smdpf serve` on a deployment folder, once it takes connections; `node` are options of the runtime, `command` is another build, `options` are more of the command's. */
export async function serve(
  folder: string,
  {
    port,
    ca,
    node = [],
    command = 'cli/smdpf.mjs',
    options = [],
  }: {
    readonly port: number;
    readonly ca: string;
    readonly node?: readonly string[];
    readonly command?: string;
    readonly options?: readonly string[];
  },
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...node, command, 'serve', '--folder', folder, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.resume();
  const deadline = Date.now() + 300_000;
  for (;;) {
    const up = await new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', ca });
      socket.once('secureConnect', () => resolve(socket.destroy()));
      socket.once('error', () => resolve(undefined));
    });
    if (up !== undefined) return child;
    if (Date.now() > deadline) throw new Error('the server does not listen');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
