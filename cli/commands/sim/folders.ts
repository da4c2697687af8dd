import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type EuiccOptions, isValidEid, SimCi, SimError, SimEumCa, SoftEuicc } from '../../../sim/index.ts';
import { UsageError } from '../../output/failure.ts';

/** A CI folder has CERT_CI.der and SK_CI.pem, an EUM folder CERT_EUM.der, SK_EUM.pem, CERT_CI.der and next-serial. */
export const CERT_CI = 'CERT_CI.der';
export const NEXT_SERIAL = 'next-serial';

export function openCi(folder: string): SimCi {
  return opened('--ci', folder, 'smdpf sim ci create makes a CI folder.', () => SimCi.load(folder));
}

export function openEumCa(folder: string): SimEumCa {
  return opened('--eum', folder, 'smdpf sim eum create makes an EUM folder.', () => SimEumCa.load(folder));
}

/** The file of a soft eUICC. */
export function openCard(file: string, options: Omit<EuiccOptions, 'file'> = {}): SoftEuicc {
  return opened('--card', file, 'smdpf sim eum personalise makes card files.', () => {
    const card = SoftEuicc.open(file, options);
    // the state is taken as it stands in the file: other JSON shows itself here
    if (!isValidEid(card.eid) || card.euiccCert.length === 0 || !Array.isArray(card.unusedKeyIds))
      throw new SimError('not the state of an eUICC');
    return card;
  });
}

/** Where the card of an EID stands among others, if it is there. */
export function cardFile(folder: string, eid: string): string | undefined {
  const file = join(folder, `${eid}.json`);
  return existsSync(file) ? file : undefined;
}

/** A folder of cards that is missing or has none is a mistake, not a line whose devices are all out of reach. */
export function requireCards(folder: string): void {
  const names = existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder) : undefined;
  if (names?.some((name) => name.endsWith('.json'))) return;
  throw new UsageError(
    `--cards: ${folder} ${names === undefined ? 'is no folder' : 'has no card in it'}`,
    'Name the folder that holds the cards: smdpf sim eum personalise makes one.',
  );
}

/** Causes are left out: a message of the JSON parser may quote the file, which holds keys. */
function opened<T>(option: string, path: string, hint: string, open: () => T): T {
  try {
    return open();
  } catch {
    throw new UsageError(`${option}: ${path} cannot be opened, or is not what is expected there`, hint);
  }
}
