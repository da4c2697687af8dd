import { generateKeyPairSync } from 'node:crypto';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { SimEum } from '../../sim/index.ts';
import { largeBatch } from '../ingest/batch.ts';
import { MAKER, ORDER } from '../job/names.ts';
import { OPERATOR, type Peak, type Stand } from './stand.ts';

/** eUICC data by `smdpf register`, of an EUM whose batch is made here; the EIDs besides. */
export async function ingest(
  stand: Stand,
  eum: SimEum,
  items: number,
): Promise<{ readonly peak: Peak; readonly eids: readonly string[] }> {
  const eids: string[] = [];
  const batch = join(stand.folder, 'euicc-data.der');
  await pipeline(
    largeBatch(eum, items, [MAKER], join(stand.folder, 'entries'), (eid) => eids.push(eid)),
    createWriteStream(batch),
  );
  const peak = await stand.killedInTheMiddle(
    'ingest',
    () => stand.client('eum', 'register', batch, ...WAIT),
    async () => {
      const { ingests } = await stand.runtime.services.inventory.listIngests({ limit: 1 });
      // how many entries there are is not known while the batch is being read
      return share(ingests[0], ({ accepted, rejected, entries = items }) => (accepted + rejected) / entries);
    },
  );
  return { peak, eids };
}

/** An order by `smdpf order place`, with keys that are drawn, and its output by `smdpf order output`. */
export async function order(stand: Stand, items: number): Promise<Peak> {
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(stand.folder, name);
    writeFileSync(path, content);
    return path;
  };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = file('output-key.json', JSON.stringify(privateKey.export({ format: 'jwk' })));
  const members = {
    orderId: ORDER,
    profileType: 'bench',
    quantity: items,
    requesterDms: [MAKER],
    personalisation: {
      iccidStart: '890010000000000000',
      imsiStart: '001010000000001',
      keys: 'generate',
    },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' },
  };
  const files = ['--order', file('order.json', JSON.stringify(members)), '--template'];
  files.push(file('template.der', ownTemplate()), '--output-key', key);
  const caller = { identifier: OPERATOR, role: 'operator', fingerprint: '' } as const;
  return await stand.killedInTheMiddle(
    'order',
    () => stand.client('operator', 'order', 'place', ...files, ...WAIT),
    async () => {
      const { orders } = await stand.runtime.services.inventory.listOrders({ limit: 1 });
      if (orders.length === 0) return 0;
      const { prepared } = await stand.runtime.services.orders.getOrderStatus(caller, {
        orderId: ORDER,
        limit: 1,
      });
      return Number(prepared ?? 0) / items;
    },
    async (clients) => {
      const out = join(stand.folder, 'output.jsonl');
      const output = stand.client('operator', 'order', 'output', ORDER, '--key', key, '--out', out);
      clients.push(output);
      return (await output.ended()) === 0;
    },
  );
}

/** Until it is done, however long that takes. */
export const WAIT = ['--wait', '--timeout', '86400'] as const;

/** 0 of what is not there yet. */
export const share = <Summary>(summary: Summary | undefined, of: (summary: Summary) => number): number =>
  summary === undefined ? 0 : of(summary);
