import { Fault } from '../errors.ts';

type Sqlite = typeof import('node:sqlite');

let loaded: Sqlite | undefined;

/**
 * Node's SQLite, loaded with the first database: an older Node has none, and runs what needs no ledger all the same. That it
 * is called experimental on 22 is known here, and no news to whoever runs a server.
 */
export function sqlite(): Sqlite {
  if (loaded !== undefined) return loaded;
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    loaded = process.getBuiltinModule?.('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
  if (loaded === undefined) {
    throw new Fault(
      'configuration',
      `a deployment in a folder needs SQLite, which Node ${process.versions.node} lacks: run it on Node 22.13 or later`,
    );
  }
  return loaded;
}
