import { randomBytes } from 'node:crypto';
import { fromHex } from './codec/bytes.ts';
import { SUITES, type SuiteName } from './crypto/suite.ts';
import { Fault } from './errors.ts';
import { Destinations } from './net/destinations.ts';
import { present } from './present.ts';
import type { RuntimeConfig } from './runtime-config.ts';
import { DEFAULT_SETTINGS, type Settings } from './service/context.ts';
import { type DataKeyLimits, DEFAULT_DATA_KEY_LIMITS } from './service/custody/data-keys.ts';

/** How long a data key wraps what is new, and how much. */
export function dataKeyLimits({ keys }: RuntimeConfig): DataKeyLimits {
  const { count, ageMs } = DEFAULT_DATA_KEY_LIMITS;
  return {
    count: keys.dataKeyCount ?? count,
    ageMs: keys.dataKeySeconds === undefined ? ageMs : keys.dataKeySeconds * 1000,
  };
}

/** What the services are told of a configuration. */
export function settingsOf(config: RuntimeConfig): Settings {
  const { deployment, address, hostId } = config;
  return {
    ...DEFAULT_SETTINGS,
    ...present({
      chunkSize: config.chunkSize,
      packSize: config.packSize,
      inlineLimit: config.inlineLimit,
      manifest: config.manifest,
      inlineOrder: config.inlineOrder,
      rowSlice: config.rowSlice,
      requestSlice: config.requestSlice,
      inlineReport: config.inlineReport,
      uploads: config.uploads,
      signConcurrency: config.signConcurrency,
      draftSuites: config.draftSuites?.map(draftSuite),
    }),
    destinations: new Destinations(config.internalDestinations),
    deployment,
    address,
    hostId: hostId === undefined ? Buffer.from('smdpf', 'ascii') : fromHex(hostId),
  };
}

function draftSuite(name: string): SuiteName {
  const drafts = SUITES.filter(({ draft }) => draft).map((suite) => suite.name);
  if (drafts.includes(name)) return name;
  throw new Fault('configuration', `draftSuites: there is no suite ${name}; known are ${drafts.join(', ')}`);
}

/** How the links of transfers are made. */
export function transfersOf({ publicUrl, transferSecret }: RuntimeConfig) {
  if (publicUrl === undefined || transferSecret === undefined) {
    return { baseUrl: 'https://localhost', transferSecret: randomBytes(32) };
  }
  return { baseUrl: publicUrl, transferSecret: fromHex(transferSecret) };
}
