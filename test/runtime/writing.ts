/** A process that writes a secret in every way that a file can be written, and leaves no file behind. */
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [, , folder, secretsFile] = process.argv as [string, string, string, string];
const secrets = (JSON.parse(await readFile(secretsFile, 'utf8')) as string[]).map((hex) =>
  Buffer.from(hex, 'hex'),
);
const [whole, torn, vector, overwritten, row] = secrets as [Buffer, Buffer, Buffer, Buffer, Buffer];
const file = (name: string) => join(folder, name);

await writeFile(file('whole'), whole.toString('base64'));

const tornFile = await open(file('torn'), 'w');
await tornFile.write(torn.subarray(0, 5));
await tornFile.write(torn.subarray(5));
await tornFile.close();

const vectorFile = await open(file('vector'), 'w');
await vectorFile.writev([vector.subarray(0, 3), vector.subarray(3, 6), vector.subarray(6)], 100);
await vectorFile.close();

const overwrittenFile = await open(file('overwritten'), 'w');
await overwrittenFile.write(overwritten, 0, overwritten.length, 4096);
await overwrittenFile.write(Buffer.alloc(overwritten.length), 0, overwritten.length, 4096);
await overwrittenFile.close();

const database = new DatabaseSync(file('database'));
database.exec('PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; CREATE TABLE t (secret TEXT)');
database.prepare('INSERT INTO t VALUES (?)').run(row.toString('hex'));
database.exec('DELETE FROM t; VACUUM');
database.close();

for (const name of ['whole', 'torn', 'vector', 'overwritten', 'database']) await rm(file(name));
