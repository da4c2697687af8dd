import { randomBytes } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';
import type { PersonalisedEuicc } from '../../sim/eum.ts';
import type { FunctionAnswer, JsonObject } from '../../sim/http.ts';
import { reproveKeys } from '../../sim/misuse.ts';
import { codesOf, listAt, membersOf, type ServerRun, toldOf } from './run.ts';

/** The eUICCs of a run. */
export interface Devices {
  readonly working: readonly PersonalisedEuicc[];
  /** Its keys are closed before they are asked for. */
  readonly closed: PersonalisedEuicc;
  /** Nobody registers it. */
  readonly unknown: PersonalisedEuicc;
}

export async function checkRegistration(run: ServerRun): Promise<Devices | undefined> {
  const { conformity, input } = run;
  const { simEum } = input;
  const working = Array.from({ length: 3 }, () => simEum.personalise({ keys: 2 }));
  const devices = { working, closed: simEum.personalise(), unknown: simEum.personalise() };
  const batchId = randomBytes(16);
  const batchOf = (euiccs: readonly PersonalisedEuicc[], id: Bytes = randomBytes(16)) =>
    simEum.euiccDataBatch(euiccs, {
      batchId: id,
      deviceManufacturers: [input.maker.functionRequesterIdentifier],
    });
  const call = (batch: Bytes): Promise<FunctionAnswer> => run.settled(() => run.eum.registerEuiccData(batch));
  const batch = batchOf([...working, devices.closed], batchId);
  const first = run.executed('server.register.accepted', 'esed1.registerEuiccData', await call(batch));
  if (first === undefined) return undefined;
  const all = working.length + 1;
  const isWhole = first.accepted === all && first.rejectedCount === 0;
  conformity.check(
    'server.register.accepted',
    isWhole,
    'esed1.registerEuiccData',
    `${all} accepted`,
    membersOf(first),
  );
  const again = await call(batch);
  run.seen('esed1.registerEuiccData once more', again);
  conformity.check(
    'server.register.repeat',
    membersOf(again.body) === membersOf(first),
    'esed1.registerEuiccData once more',
    membersOf(first),
    again.status.startsWith('Executed') ? membersOf(again.body) : toldOf(again),
  );
  const changed = await call(batchOf(working, batchId));
  run.refused('server.register.changed', 'esed1.registerEuiccData, another content', '1.6/3.11', changed);
  await checkRefusals(run, working, batchOf, call);
  return isWhole ? devices : undefined;
}

async function checkRefusals(
  run: ServerRun,
  [first]: readonly PersonalisedEuicc[],
  batchOf: (euiccs: readonly PersonalisedEuicc[]) => Bytes,
  call: (batch: Bytes) => Promise<FunctionAnswer>,
): Promise<void> {
  const { simEum } = run.input;
  const good = simEum.personalise();
  const bad = simEum.personalise();
  const wrong = {
    ...bad,
    oneTimeKeys: bad.oneTimeKeys.map((key) => ({ ...key, proof: good.oneTimeKeys[0]!.proof })),
  };
  const proof = await call(batchOf([good, wrong]));
  oneRefused(run, 'server.register.proof', 'an entry with the proof of another', '8.1/6.1', bad.eid, proof);
  const thief = reproveKeys(simEum.personalise(), first!);
  const other = simEum.personalise();
  const reused = await call(batchOf([other, thief]));
  oneRefused(
    run,
    'server.register.reused-key',
    'an entry with the key of another',
    '8.1/3.3',
    thief.eid,
    reused,
  );
}

/** One of two entries is refused with this pair of codes, and the other accepted. */
function oneRefused(
  run: ServerRun,
  id: 'server.register.proof' | 'server.register.reused-key',
  what: string,
  codes: string,
  eid: string,
  answer: FunctionAnswer,
): void {
  const call = `esed1.registerEuiccData, ${what}`;
  const body: JsonObject | undefined = run.executed(id, call, answer);
  if (body === undefined) return;
  const [refused, ...more] = listAt(body, 'rejected');
  const holds =
    body.accepted === 1 &&
    refused !== undefined &&
    more.length === 0 &&
    codesOf(refused) === codes &&
    refused.eid === eid;
  run.conformity.check(id, holds, call, `1 accepted, EID ${eid} rejected with ${codes}`, membersOf(body));
}
