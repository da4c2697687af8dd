import { expect, it } from 'vitest';
import type { LogRecord } from '../../../shared/events/log-events.ts';
import { SqliteLedger } from '../../../shared/ledger/sqlite.ts';
import { noPort } from '../../../shared/no-port.ts';
import { AuditLog } from '../../../shared/service/audit/log.ts';
import { ClockWatch, DRIFT_MS, driftOf } from '../../../shared/service/evidence/clock-watch.ts';

it.each([
  [DRIFT_MS, false],
  [-DRIFT_MS, false],
  [DRIFT_MS + 1, true],
  [-DRIFT_MS - 1, true],
])('a clock that is ahead by %d ms raises the alarm of drift: %s', async (aheadMs, alarms) => {
  const ledger = await SqliteLedger.open(':memory:');
  const told: LogRecord[] = [];
  const context = { ledger, now: () => 1_000, log: (line: LogRecord) => told.push(line) };
  const found = { aheadMs, roundTripMs: 3 };
  const watch = new ClockWatch(context, 'sntp:clock.example', async () => found);
  expect(await watch.compare()).toEqual(found);
  expect(told.map(({ event }) => event)).toEqual(alarms ? ['alarm.clock.drift'] : []);
  const audit = new AuditLog(ledger, noPort('vault'));
  await audit.chain();
  const { lines } = await audit.getAuditLines({ from: 1, limit: 10 });
  expect(lines).toMatchObject([
    { event: 'clock.compared', about: { source: 'sntp:clock.example', ...found } },
  ]);
  // what health tells of it, in any thread or command that has the same stores, for as long as comparisons are made
  const other = (ms: number) => driftOf({ ledger, now: () => ms });
  expect(await other(2_000)).toBe(alarms ? aheadMs : undefined);
  expect(await other(14 * 60 * 60_000)).toBeUndefined();
  await new ClockWatch(context, 'sntp:clock.example', async () => ({ aheadMs: 1, roundTripMs: 3 })).compare();
  expect(await other(2_000)).toBeUndefined();
  await ledger.close();
});
