#!/usr/bin/env node
// Starts the command. This file is plain JavaScript, since the sources are TypeScript that Node 24 runs as it is and
// an older Node cannot even parse: there it hands over to the Node of the `node` package beside us.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const script = fileURLToPath(import.meta.url);

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  // Halves the time to start. Beside the sources, not in a shared temporary folder: what lies there is run.
  nodeModule.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/smdpf', import.meta.url)));
  const { downloadWithLimit, serveWithAllocator } = await import('./allocator.ts');
  serveWithAllocator();
  downloadWithLimit();
  await import('./smdpf.ts');
} else {
  const node = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  if (!existsSync(node)) {
    console.error(
      `smdpf needs Node ${NEEDED}; this is ${process.version}, and the \`node\` package is not installed.`,
    );
    console.error('Run `npm ci` in the project (it brings Node along), or install Node 24.');
    process.exit(2);
  }
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  // a terminal sends SIGINT to both of us; what is sent to this process alone is passed on
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`smdpf could not start ${node}: ${error.message}`);
    process.exit(3);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
