import type { Bytes } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import { present } from '../../shared/present.ts';
import { auditPersonalisation } from '../../shared/profile/package/audit.ts';
import { decodeBppBatch, type Operator } from '../../sim/index.ts';
import type { DemoRecord } from './steps.ts';
import type { Device, World } from './world.ts';

/** The numbers that must add up: each profile of the order is in exactly one of the states. */
export interface DemoSummary {
  readonly ordered: number;
  readonly devices: number;
  readonly devicesInTrouble: number;
  readonly wanted: number;
  readonly bound: number;
  readonly refused: number;
  readonly states: Readonly<Record<string, number>>;
  readonly callbacks: number;
  /** Installed profiles whose every parameter was read back equal to the Operator's output rows. */
  readonly readBackEqual: number;
  readonly auditLines: number;
  readonly addsUp: boolean;
}

/** The audit log of the server. */
export interface AuditLog {
  chain(): Promise<number>;
  verify(): AsyncIterable<{ problem?: string }>;
}

export interface Done {
  readonly orderId: string;
  readonly ordered: number;
  readonly wantedDevices: number;
  readonly devices: readonly Device[];
  /** As they reached the line. */
  readonly batches: readonly Bytes[];
  /** The Operator's rows, by ICCID. */
  readonly rows: ReadonlyMap<string, Record<string, string>>;
}

/** Counts on every side, reads every installed profile back, and verifies the audit log. */
export async function summarise(
  world: World,
  audit: AuditLog,
  record: DemoRecord,
  { orderId, ordered, wantedDevices, devices, batches, rows }: Done,
): Promise<DemoSummary> {
  const { operator, callbacks } = world;
  const { states, items } = await statesOf(operator, orderId);
  recordOutcomes(record, devices, items);
  let readBackEqual = 0;
  for (const { eid, bound } of batches.flatMap((batch) => decodeBppBatch(batch).items)) {
    if (bound === undefined) continue;
    const upp = devices.find(({ euicc }) => euicc.eid === eid)?.card.installedProfile(bound.iccid);
    const row = rows.get(bound.iccid);
    if (
      upp !== undefined &&
      row !== undefined &&
      !auditPersonalisation(upp, row).some(({ code }) => code === 'differs')
    )
      readBackEqual += 1;
  }
  await audit.chain();
  let auditLines = 0;
  for await (const { problem } of audit.verify()) {
    if (problem !== undefined) throw new Fault('invariant', `the audit log does not verify: ${problem}`);
    auditLines += 1;
  }
  const bound = countBound(batches);
  const wanted = countItems(batches);
  const settled = Object.entries(states)
    .filter(([state]) => state !== 'Available')
    .reduce((sum, [, count]) => sum + count, 0);
  const installed = states.Installed ?? 0;
  return {
    ordered,
    devices: wantedDevices,
    devicesInTrouble: devices.length - wantedDevices,
    wanted,
    bound,
    refused: wanted - bound,
    states,
    callbacks: callbacks.received.length,
    readBackEqual,
    auditLines,
    addsUp: settled === bound && settled + (states.Available ?? 0) === ordered && readBackEqual === installed,
  };
}

interface ProfileStatus {
  readonly eid?: string;
  readonly state: string;
  readonly detail?: string;
}

/** Counts by state, and every profile of the order, page by page. */
async function statesOf(operator: Operator, orderId: string) {
  const items: ProfileStatus[] = [];
  let cursor: string | undefined;
  let states: Record<string, number>;
  do {
    const page = await operator.getOrderStatus(orderId, present({ cursor }));
    states = page.counts as Record<string, number>;
    items.push(...(page.items as ProfileStatus[]));
    cursor = page.cursor as string | undefined;
  } while (cursor !== undefined);
  return { states, items };
}

/** What became of each device in trouble, beside what should have. */
function recordOutcomes(
  record: DemoRecord,
  devices: readonly Device[],
  items: readonly ProfileStatus[],
): void {
  const troubles = [
    ['tampered', 'a Bound Profile Package with one bit flipped on its way', 'Failed scp03tSecurityError'],
    ['damaged', 'an eUICC that never answers', 'Unreported damaged'],
    ['powerCut', 'an eUICC that loses power in the middle', 'Installed'],
    ['silent', 'an eUICC whose answer is lost on the line', 'Installed'],
  ] as const;
  for (const [trouble, what, expected] of troubles) {
    const device = devices.find((one) => one.trouble === trouble);
    const item = items.find(({ eid }) => eid === device?.euicc.eid);
    record.trouble(what, expected, [item?.state, item?.detail].filter(Boolean).join(' '));
  }
}

export const countItems = (batches: readonly Bytes[]) =>
  batches.reduce((sum, batch) => sum + decodeBppBatch(batch).items.length, 0);
export const countBound = (batches: readonly Bytes[]) =>
  batches.reduce(
    (sum, batch) => sum + decodeBppBatch(batch).items.filter(({ bound }) => bound !== undefined).length,
    0,
  );
