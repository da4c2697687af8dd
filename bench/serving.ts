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

/** For glibc, as smdpf.service and Containerfile of a release set it. */
export const ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;

/** `smdpf serve` on a deployment folder, once it takes connections; `node` are options of the runtime, `command` is another build. */
export async function serve(
  folder: string,
  {
    port,
    ca,
    node = [],
    command = 'cli/smdpf.mjs',
  }: {
    readonly port: number;
    readonly ca: string;
    readonly node?: readonly string[];
    readonly command?: string;
  },
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...node, command, 'serve', '--folder', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...ALLOCATOR },
  });
  child.stdout.resume();
  const deadline = Date.now() + 30_000;
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
