/** Makes the histories that it is sent (workers.ts), until nobody is there any more to send one. */
import type { Task } from './simulation.ts';
import { ownWorker, type Told } from './workers.ts';

const tell = (told: Told) => process.send?.(told);
const worker = ownWorker((line) => tell({ line }));

process.on('message', async (task: Task) => tell({ made: await (await worker).make(task) }));
// an interrupt from the keyboard goes to all; who sends the histories stops sending them
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
