import type { Command } from 'commander';
import type {
  DeviceDetail,
  FoundRequests,
  HistoryEntry,
  Inventory,
  ProfileDetail,
} from '../../../shared/service/api/ops.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields, table } from '../../output/table.ts';
import { type LookOptions, look, tableOr, timeText, type View, withLookOptions } from './looking.ts';

/** `smdpf find`: an eUICC, a profile, or a request, with its whole history. */
export function registerFind(program: Command, io: CliIo): void {
  withLookOptions(
    program
      .command('find <id>')
      .description('an EID, ICCID, transactionId or requestId: what it is, and its whole history'),
    io,
  ).action((id: string, options: LookOptions) => look(options, io, (inventory) => find(inventory, id)));
}

/** 32 digits may name an eUICC or a transaction: an EID has check digits, so that both are seldom meant. */
async function find(inventory: Inventory, id: string): Promise<View> {
  if (/^[0-9]{32}$/.test(id)) {
    const device = await inventory.findDevice({ eid: id });
    return { document: { ...device }, text: deviceText(device) };
  }
  if (/^[0-9]{19,20}[fF]?$/.test(id))
    return profileView(await inventory.findProfile({ iccid: id.slice(0, 20).replace(/[fF]$/, '') }));
  if (/^[0-9a-fA-F]{32}$/.test(id))
    return profileView(await inventory.findProfile({ transactionId: id.toLowerCase() }));
  if (/^(?:[0-9a-fA-F]{2}){1,16}$/.test(id)) {
    const found = await inventory.findRequest({ requestId: id });
    return { document: { ...found }, text: requestsText(found) };
  }
  throw new UsageError(
    'this is no EID, ICCID, transactionId or requestId',
    'An EID has 32 digits, an ICCID 19 or 20, a transactionId 16 octets, a requestId up to 16 octets in hexadecimal.',
  );
}

const profileView = (profile: ProfileDetail): View => ({
  document: { ...profile },
  text: profileText(profile),
});

function profileText(profile: ProfileDetail): string {
  const { iccid, state, detail, eid, orderId, position, transactionId, requestId, party, keyId, history } =
    profile;
  return [
    fields([
      ['ICCID', iccid],
      ['state', state],
      ['why', detail],
      ['order', `${orderId}, position ${position}`],
      ['EID', eid],
      ['one-time key', keyId],
      ['transaction', transactionId],
      ['request', requestId],
      ['device manufacturer', party],
    ]),
    historyText(history),
  ].join('\n\n');
}

const historyText = (history: readonly HistoryEntry[]) =>
  table(
    ['when', 'what', 'ICCID', 'cause'],
    history.map(({ at, event, iccid, detail }) => [timeText(at), event, iccid, detail]),
  );

function deviceText(device: DeviceDetail): string {
  return [
    fields([
      ['EID', device.eid],
      ['EUM (EIN)', device.ein],
      ['suite', device.suite],
      ['certificate until', timeText(device.notAfter)],
      ['revoked', timeText(device.revokedAt)],
      ['device manufacturers', device.deviceManufacturers.join(', ')],
    ]),
    tableOr(
      'no one-time key',
      ['one-time key', 'state', 'transaction'],
      device.keys.map((key) => [key.keyId, key.state, key.transactionId]),
    ),
    tableOr(
      'no profile has been bound to it',
      ['ICCID', 'state', 'order', 'transaction', 'why'],
      device.profiles.map((one) => [one.iccid, one.state, one.orderId, one.transactionId, one.detail]),
    ),
    historyText(device.history),
  ].join('\n\n');
}

function requestsText({ jobs, ingests, reports }: FoundRequests): string {
  const rows = [
    ...jobs.map((job) => [
      'request',
      job.party,
      job.state,
      `${job.bound} bound, ${job.refused} refused of ${job.items}`,
      timeText(job.createdAt),
    ]),
    ...ingests.map((one) => [
      'eUICC data',
      one.party,
      one.state,
      `${one.accepted} accepted, ${one.rejected} rejected`,
      timeText(one.takenAt),
    ]),
    ...reports.map((one) => [
      'report',
      one.party,
      one.state,
      `${one.verified} verified, ${one.noted} noted, ${one.rejected} rejected`,
      timeText(one.takenAt),
    ]),
  ];
  return tableOr('nobody has used this identifier', ['what', 'party', 'state', 'came of it', 'taken'], rows);
}
