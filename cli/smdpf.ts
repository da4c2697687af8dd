import { processIo } from './output/process-io.ts';
import { run } from './program.ts';

const io = processIo(process);
process.exitCode = await run(process.argv.slice(2), io);
