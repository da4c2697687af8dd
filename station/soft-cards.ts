import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../shared/errors.ts';
import { type CardReader, isValidEid, SoftEuicc } from '../sim/index.ts';
import { lock } from './lock.ts';

/** Devices that are there, what could not be read, and how they are given back. */
export interface OpenDevices {
  readonly devices: ReadonlyMap<string, CardReader>;
  readonly problems: readonly string[];
  close(): void | Promise<void>;
}

/** In the folder while a station has it. */
const LOCK = '.station.lock';

/**
 * Soft eUICCs, a JSON file each, in the place of readers. The EID is the one that the eUICC itself has, whatever its file is called.
 * A folder that is missing or has none is an error: a station without devices is set up wrongly. One that a station has is not
 * taken by another; `looking` only reads.
 */
export function openSoftCards(folder: string, looking: boolean): OpenDevices {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new Fault('configuration', `${folder} is no folder of cards`);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort();
  if (files.length === 0) throw new Fault('configuration', `the folder ${folder} has no card in it`);
  const release = looking ? () => {} : lock(join(folder, LOCK), `the folder ${folder}`);
  const devices = new Map<string, CardReader>();
  const problems: string[] = [];
  for (const name of files) {
    try {
      const card = SoftEuicc.open(join(folder, name));
      if (!isValidEid(card.eid)) throw new Error('no EID');
      if (devices.has(card.eid)) problems.push(`${name} is a second card of EID ${card.eid}`);
      else devices.set(card.eid, card);
    } catch {
      // the message of a parser may quote the file, which holds keys
      problems.push(`${name} is not the state of an eUICC`);
    }
  }
  return { devices, problems, close: release };
}
