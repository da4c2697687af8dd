import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenFile, goldenVectors } from './golden-vectors.ts';

// `npm run vectors` writes shared/ifpp-draft1/vectors anew; the octets are the same each time.
const FOLDER = join(import.meta.dirname, '../shared/ifpp-draft1/vectors');
for (const [name, content] of goldenVectors().map(goldenFile)) writeFileSync(join(FOLDER, name), content);
