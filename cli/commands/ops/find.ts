import type { Command } from 'commander';
import { present } from '../../../shared/present.ts';
import type {
  DeviceDetail,
  FoundRequests,
  HistoryEntry,
  Inventory,
  JobDetail,
  PageRequest,
  ProfileDetail,
  ReportDetail,
} from '../../../shared/service/api/ops.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields, table } from '../../output/table.ts';
import { look, moreText, tableOr, timeText, type View } from './looking.ts';
import { type ListOptions, listCommand, pageOf } from './pages.ts';

/** `smdpf find`: an eUICC, a profile, or a request, with its whole history. */
export function registerFind(program: Command, io: CliIo): void {
  listCommand(
    program
      .command('find <id>')
      .description(
        'an EID, ICCID or transactionId: what it is, and its whole history; a requestId, batchId or reportId: what came of it, with what was refused page by page',
      ),
    io,
  ).action((id: string, options: ListOptions) =>
    look(options, io, (inventory) => find(inventory, id, pageOf(options))),
  );
}

/** 32 digits may name an eUICC or a transaction: an EID has check digits, so that both are seldom meant. */
async function find(inventory: Inventory, id: string, page: PageRequest): Promise<View> {
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
    const refused = await refusedOf(inventory, found, page);
    return { document: { ...found, ...refused }, text: requestsText(found) + refusedText(refused) };
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

/** A page of what was refused in the one request or report that the identifier names. */
type Refused = Pick<JobDetail, 'refusedItems' | 'cursor'> | Pick<ReportDetail, 'rejectedItems' | 'cursor'>;

async function refusedOf(
  inventory: Inventory,
  { jobs, ingests, reports }: FoundRequests,
  page: PageRequest,
): Promise<Refused | undefined> {
  if (jobs.length + ingests.length + reports.length !== 1) return undefined;
  const [[job], [report]] = [jobs, reports];
  if (job !== undefined) {
    const { refusedItems, cursor } = await inventory.getJob({ jobId: job.jobId, ...page });
    return { refusedItems, ...present({ cursor }) };
  }
  if (report === undefined) return undefined;
  const { party, reportId } = report;
  const { rejectedItems, cursor } = await inventory.getReport({ party, reportId, ...page });
  return { rejectedItems, ...present({ cursor }) };
}

function refusedText(refused: Refused | undefined): string {
  if (refused === undefined) return '';
  const rows =
    'refusedItems' in refused
      ? refused.refusedItems.map((one) => [one.itemId, one.code, one.eid, one.message])
      : refused.rejectedItems.map((one) => [one.itemIndex, one.code, undefined, one.message]);
  if (rows.length === 0) return moreText(refused.cursor);
  return `\n\n${table(['item', 'refused as', 'EID', 'why'], rows)}${moreText(refused.cursor)}`;
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
