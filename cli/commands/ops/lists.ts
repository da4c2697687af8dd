import { type Command, Option } from 'commander';
import { present } from '../../../shared/present.ts';
import {
  ORDER_STATES,
  type OrderState,
  PROFILE_STATES,
  type ProfileState,
} from '../../../shared/service/api/es2f.ts';
import type { Inventory, KeysLeft } from '../../../shared/service/api/ops.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields } from '../../output/table.ts';
import {
  countsText,
  type LookOptions,
  look,
  moreText,
  tableOr,
  timeText,
  withLookOptions,
} from './looking.ts';
import { type ListOptions, listCommand, pageOf } from './pages.ts';

/** `smdpf orders`: stock, order by order. */
export function registerOrders(program: Command, io: CliIo): void {
  listCommand(
    program.command('orders').description('orders, the newest first, with their profiles by state'),
    io,
  )
    .option('--operator <id>', 'of this Operator only')
    .addOption(new Option('--state <state>', 'in this state only').choices(ORDER_STATES))
    .action((options: ListOptions & { operator?: string; state?: OrderState }) =>
      look(options, io, async (inventory) => {
        const { operator, state } = options;
        const found = await inventory.listOrders({ ...pageOf(options), ...present({ operator, state }) });
        const rows = found.orders.map((order) => [
          order.orderId,
          order.state,
          order.quantity,
          countsText(order.counts),
          order.operator,
          timeText(order.createdAt),
        ]);
        const headings = ['order', 'state', 'quantity', 'profiles', 'Operator', 'taken'];
        return { document: { ...found }, text: tableOr('no order', headings, rows) + moreText(found.cursor) };
      }),
    );
}

/** `smdpf order ID`: one order, and its profiles page by page. */
export function registerOrderView(order: Command, io: CliIo): void {
  listCommand(
    order
      .command('show <orderId>', { isDefault: true })
      .description('one order: its state, its profiles by state and by day'),
    io,
  )
    .option('--profiles', 'list its profiles too')
    .addOption(new Option('--state <state>', 'with --profiles: in this state only').choices(PROFILE_STATES))
    .action((orderId: string, options: ListOptions & { profiles?: true; state?: ProfileState }) =>
      look(options, io, async (inventory) => {
        const order = await inventory.getOrder({ orderId });
        const { state } = options;
        const page =
          options.profiles === undefined
            ? undefined
            : await inventory.listProfiles({ orderId, ...pageOf(options), ...present({ state }) });
        const head = fields([
          ['order', order.orderId],
          ['state', order.state],
          ['why', order.reason?.message],
          ['quantity', order.quantity],
          ['prepared', order.prepared],
          ['profiles', countsText(order.counts)],
          ['Operator', order.operator],
          ['device manufacturers', order.requesterDms.join(', ')],
          ['taken', timeText(order.createdAt)],
        ]);
        const days = order.days.map(({ day, changes }) => [day, countsText(changes)]);
        const profiles = page?.profiles.map((one) => [
          one.position,
          one.iccid,
          one.state,
          one.eid,
          one.detail,
        ]);
        const texts = [head, tableOr('no profile has changed its state', ['day', 'changes'], days)];
        if (profiles !== undefined)
          texts.push(
            tableOr('no profile', ['position', 'ICCID', 'state', 'EID', 'why'], profiles) +
              moreText(page?.cursor),
          );
        return { document: { ...order, ...page }, text: texts.join('\n\n') };
      }),
    );
}

/** `smdpf jobs`: requests, batches of eUICC data and reports, and how far they are. */
export function registerJobs(program: Command, io: CliIo): void {
  listCommand(
    program
      .command('jobs')
      .description(
        'requests, batches of eUICC data and loading reports, the newest first, and how far they are',
      ),
    io,
  )
    .option('--order <orderId>', 'requests of this order only')
    .option('--party <id>', 'of this party only')
    .option('--open', 'requests under way only')
    .action((options: ListOptions & { order?: string; party?: string; open?: true }) =>
      look(options, io, async (inventory) => {
        const { order: orderId, party, open } = options;
        const { jobs, cursor } = await inventory.listJobs({
          ...pageOf(options),
          ...present({ orderId, party, open }),
        });
        const newest = { limit: 20, ...present({ party }) };
        const { ingests } = await inventory.listIngests(newest);
        const { reports } = await inventory.listReports(newest);
        const tables = [
          tableOr(
            'no request',
            ['request', 'state', 'done', 'of', 'refused', 'order', 'party', 'taken'],
            jobs.map((job) => [
              job.requestId,
              job.state,
              job.bound + job.refused,
              job.items,
              job.refused,
              job.orderId,
              job.party,
              timeText(job.createdAt),
            ]),
          ) + moreText(cursor),
          tableOr(
            'no batch of eUICC data',
            ['eUICC data', 'state', 'accepted', 'rejected', 'of', 'party', 'taken'],
            ingests.map((one) => [
              one.batchId,
              one.state,
              one.accepted,
              one.rejected,
              one.entries,
              one.party,
              timeText(one.takenAt),
            ]),
          ),
          tableOr(
            'no report',
            ['report', 'state', 'verified', 'noted', 'rejected', 'party', 'taken'],
            reports.map((one) => [
              one.reportId,
              one.state,
              one.verified,
              one.noted,
              one.rejected,
              one.party,
              timeText(one.takenAt),
            ]),
          ),
        ];
        return { document: { jobs, ingests, reports, ...present({ cursor }) }, text: tables.join('\n\n') };
      }),
    );
}

/** `smdpf calls`: who called what. */
export function registerCalls(program: Command, io: CliIo): void {
  listCommand(program.command('calls').description('who called what, minute by minute, the newest first'), io)
    .option('--party <id>', 'of this party only')
    .option('--function <name>', 'to this function only, such as esbpp.requestBpp')
    .action((options: ListOptions & { party?: string; function?: string }) =>
      look(options, io, async (inventory) => {
        const { party, function: called } = options;
        const found = await inventory.listCalls({
          ...pageOf(options),
          ...present({ party, function: called }),
        });
        const rows = found.calls.map((call) => [
          timeText(call.at),
          call.party ?? 'nobody known',
          call.function,
          call.count,
          call.status,
          call.subjectCode === undefined ? '' : `${call.subjectCode}/${call.reasonCode}`,
        ]);
        const headings = ['minute', 'party', 'function', 'calls', 'status', 'code'];
        return {
          document: { ...found },
          text: tableOr('nobody has called', headings, rows) + moreText(found.cursor),
        };
      }),
    );
}

/** `smdpf keys-left`: one-time keys that may still be bound. */
export function registerKeysLeft(program: Command, io: CliIo): void {
  withLookOptions(
    program.command('keys-left').description('one-time keys left, by device manufacturer and EUM'),
    io,
  )
    .option('--party <id>', 'that this device manufacturer may bind')
    .option('--ein <digits>', 'of this EUM: the first eight digits of its EIDs')
    .action((options: LookOptions & { party?: string; ein?: string }) =>
      look(options, io, async (inventory) => {
        const { party, ein } = options;
        const keysLeft = await allKeysLeft(inventory, present({ party, ein }));
        const rows = keysLeft.map((group) => [
          group.deviceManufacturers.join(', '),
          group.ein,
          group.left,
          group.registered,
          group.bound,
          group.closed,
        ]);
        const headings = ['device manufacturers', 'EUM (EIN)', 'left', 'registered', 'bound', 'closed'];
        return { document: { keysLeft }, text: tableOr('no one-time key is registered', headings, rows) };
      }),
    );
}

/** Each page counts a stretch of the eUICCs. */
async function allKeysLeft(
  inventory: Inventory,
  filter: { party?: string; ein?: string },
): Promise<KeysLeft[]> {
  const groups = new Map<string, KeysLeft>();
  let cursor: string | undefined;
  do {
    const { keysLeft, ...next } = await inventory.listKeysLeft({ ...filter, ...present({ cursor }) });
    for (const group of keysLeft) {
      const name = JSON.stringify([group.ein, group.deviceManufacturers]);
      const known = groups.get(name);
      groups.set(name, {
        ...group,
        left: group.left + (known?.left ?? 0),
        registered: group.registered + (known?.registered ?? 0),
        bound: group.bound + (known?.bound ?? 0),
        closed: group.closed + (known?.closed ?? 0),
      });
    }
    cursor = next.cursor;
  } while (cursor !== undefined);
  return [...groups.values()];
}
