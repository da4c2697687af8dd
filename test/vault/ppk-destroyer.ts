/** A process that destroys the entries of one pack, a few at a time, and tells on standard output what is done. */
import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { FilePpkVault } from '../../shared/vault/file-ppk.ts';

const [, , folder, pack, count] = process.argv;
const vault = await FilePpkVault.open(folder!);
for (let position = 0; position + 2 < Number(count); position += 2) {
  await vault.destroy(pack!, [position, position + 1]);
  // Leaves whoever kills this process the time to do so.
  if (position > 300) await setTimeout(1);
  writeSync(1, `${position}\n${position + 1}\n`);
}
