/** A process that stores objects until it is killed, and prints the reference of each that was acknowledged. */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { FileVault } from '../../shared/vault/file.ts';

const vault = await FileVault.open(process.argv[2]!, {
  baseUrl: 'http://localhost',
  transferSecret: randomBytes(32),
});
async function writer(id: number): Promise<void> {
  for (let i = 0; ; i++) {
    const ref = await vault.put(`parts/${id}/${i % 7}`, randomBytes(20_000 + i), { lock: id === 0 });
    writeSync(1, `${JSON.stringify(ref)}\n`);
  }
}
await Promise.all([0, 1, 2].map(writer));
