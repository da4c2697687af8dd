import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { SoftEuicc } from '../../sim/euicc.ts';
import { Factory } from '../../sim/factory.ts';
import { stringAt } from '../../sim/http.ts';
import { decodeProfileLoadingReport, encodeProfileLoadingReport } from '../../sim/ifpp-draft1.ts';
import { readAll, readOnly } from '../../sim/tlv.ts';
import { statesOf } from './orders.ts';
import type { Devices } from './registration.ts';
import type { Bound } from './requests.ts';
import { codesOf, listAt, membersOf, type ServerRun, toldOf } from './run.ts';

/** Loads what was bound into soft eUICCs, and gives the report (FF63) back. */
export async function loadAll(run: ServerRun, devices: Devices, { der, batch }: Bound): Promise<Bytes> {
  const { conformity } = run;
  const cards = new Map(devices.working.map((euicc) => [euicc.eid, SoftEuicc.create(euicc)]));
  const folder = mkdtempSync(join(tmpdir(), 'smdpf-conform-'));
  try {
    const factory = new Factory({
      journalFile: join(folder, 'line.jsonl'),
      reader: (eid) => cards.get(eid),
    });
    for (const { eid, result, fpaError } of await factory.load(der)) {
      const seen = result === undefined ? `no result: ${fpaError?.cause}` : finalResultOf(result);
      const isInstalled = conformity.check(
        'server.bpp.installs',
        seen === 'success',
        `EID ${eid}`,
        'finalResult success',
        seen,
      );
      if (!isInstalled) continue;
      const iccid = batch.items.find((item) => item.eid === eid)?.bound?.iccid;
      const installed = cards.get(eid)?.installedIccids.join(', ');
      conformity.check(
        'server.bpp.profile',
        installed === iccid,
        `EID ${eid}`,
        `ICCID ${iccid}`,
        `ICCID ${installed}`,
      );
    }
    return factory.report(randomBytes(16), [der]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a BF37 says: success, or the command and the reason of its error (SGP.22 section 2.5.6). */
export function finalResultOf(pir: Bytes): string {
  const data = readAll(readOnly(pir, 0xbf37).value).find(({ tag }) => tag === 0xbf27);
  const choice = readAll(data?.value ?? new Uint8Array()).find(({ tag }) => tag === 0xa2);
  const [result] = readAll(choice?.value ?? new Uint8Array());
  if (result?.tag === 0xa0) return 'success';
  const fields = readAll(result?.value ?? new Uint8Array());
  const number = (tag: number) => fields.find((field) => field.tag === tag)?.value[0];
  return `error, bppCommandId ${number(0x80)}, errorReason ${number(0x81)}`;
}

export async function checkReport(run: ServerRun, bound: Bound, report: Bytes): Promise<void> {
  const { conformity } = run;
  const send = (octets: Bytes) =>
    run.settled(() =>
      run.maker.client.submit('esbpp', 'sendProfileLoadingReport', 'profileLoadingReport', octets),
    );
  await checkForged(run, report, send);
  const installed = bound.batch.items.flatMap(({ bound: one, eid }) => (one ? [{ ...one, eid }] : []));
  const answer = await send(report);
  const body = run.executed('server.report.verified', 'esbpp.sendProfileLoadingReport', answer);
  if (body === undefined) return;
  const holds = body.verified === installed.length && body.rejectedCount === 0;
  const call = 'esbpp.sendProfileLoadingReport';
  conformity.check('server.report.verified', holds, call, `${installed.length} verified`, membersOf(body));
  const again = await send(report);
  run.seen(`${call} once more`, again);
  const seen = again.status.startsWith('Executed') ? membersOf(again.body) : toldOf(again);
  conformity.check(
    'server.report.repeat',
    seen === membersOf(body),
    `${call} once more`,
    membersOf(body),
    seen,
  );
  if (conformity.hasFailed('server.bpp.installs')) {
    conformity.skip('not every BPP was installed', 'server.report.state');
    return;
  }
  const states = await statesOf(run);
  for (const { iccid, eid } of installed) {
    const item = states.get(iccid) ?? {};
    const told = `${stringAt(item, 'state')}, EID ${stringAt(item, 'eid')}`;
    conformity.check(
      'server.report.state',
      told === `Installed, EID ${eid}`,
      `ICCID ${iccid}`,
      `Installed, EID ${eid}`,
      told,
    );
  }
}

/** The same results, one of them with its last octet changed, as a report of its own. */
async function checkForged(
  run: ServerRun,
  report: Bytes,
  send: (octets: Bytes) => ReturnType<ServerRun['settled']>,
): Promise<void> {
  const id = 'server.report.forged';
  const [first] = decodeProfileLoadingReport(report).items;
  if (first === undefined || !('euiccResult' in first)) {
    run.conformity.skip('no eUICC gave a result', id);
    return;
  }
  const forged = Uint8Array.from(first.euiccResult);
  forged[forged.length - 1]! ^= 1;
  const octets = encodeProfileLoadingReport({ reportId: randomBytes(16), items: [{ euiccResult: forged }] });
  const call = 'esbpp.sendProfileLoadingReport with a forged result';
  const body = run.executed(id, call, await send(octets));
  if (body === undefined) return;
  const [refused] = listAt(body, 'rejected');
  const isRefused = body.verified === 0 && refused !== undefined && codesOf(refused) === '8.1/6.1';
  run.conformity.check(id, isRefused, call, '0 verified, 1 rejected with 8.1/6.1', membersOf(body));
}

export async function checkDeliveryKeys({ conformity, maker }: ServerRun): Promise<void> {
  const id = 'server.delivery-keys';
  const { body } = await maker.client.call('esbpp', 'getServerKeys', {});
  const keys = listAt(body, 'deliveryKeys');
  const kids = new Set(keys.map((key) => stringAt(key, 'kid')));
  const areRight = keys.every(
    (key) => key.kty === 'EC' && key.crv === 'P-256' && typeof key.kid === 'string' && key.d === undefined,
  );
  const holds = keys.length > 0 && areRight && kids.size === keys.length;
  const shown = keys.map(
    ({ kty, crv, kid, d }) => `${kty} ${crv} ${kid}${d === undefined ? '' : ' with a private member'}`,
  );
  conformity.check(id, holds, 'esbpp.getServerKeys', 'EC P-256, each with a kid', shown.join(', ') || 'none');
}
