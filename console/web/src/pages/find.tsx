import Box from '@cloudscape-design/components/box';
import { useEffect, useState } from 'react';
import { call } from '../api/client.ts';
import { Page } from '../parts/page.tsx';
import type { PageProps } from '../router.ts';
import { hrefOf } from '../router.ts';

/** Finds what an identifier stands for, and goes there. */
export function FindPage({ place }: PageProps) {
  const [, text = ''] = place.path;
  const [found, setFound] = useState<'looking' | 'nothing'>('looking');
  useEffect(() => {
    let current = true;
    setFound('looking');
    void find(text).then((href) => {
      if (!current) return;
      // in the place of the search, so that going back leads to where somebody came from
      if (href === undefined) setFound('nothing');
      else location.replace(href);
    });
    return () => {
      current = false;
    };
  }, [text]);
  return (
    <Page title={`Find ${text}`}>
      <Box>
        {found === 'looking'
          ? 'Looking …'
          : 'Nothing here has this as its EID, ICCID, transaction, request, batch, report or order.'}
      </Box>
    </Page>
  );
}

type Look = (text: string) => Promise<string | undefined>;

/** In the order of asking; each by the form that it has. */
const LOOKS: readonly (readonly [form: RegExp, look: Look])[] = [
  [/^\d{32}$/, async (eid) => (await call('ops.findDevice', { eid })) && hrefOf(['devices', eid])],
  [/^\d{18,20}$/, async (iccid) => (await call('ops.findProfile', { iccid })) && hrefOf(['devices', iccid])],
  [
    /^[0-9a-fA-F]{2,32}$/,
    async (transactionId) => hrefOf(['devices', (await call('ops.findProfile', { transactionId })).iccid]),
  ],
  [
    /^[0-9a-fA-F]{2,32}$/,
    async (requestId) => {
      const { jobs, ingests, reports } = await call('ops.findRequest', { requestId });
      const [job] = jobs;
      if (job !== undefined) return hrefOf(['jobs', job.jobId]);
      return ingests.length + reports.length > 0 ? hrefOf(['jobs']) : undefined;
    },
  ],
  [/^.{1,128}$/, async (orderId) => (await call('ops.getOrder', { orderId })) && hrefOf(['orders', orderId])],
];

async function find(text: string): Promise<string | undefined> {
  for (const [form, look] of LOOKS) {
    if (!form.test(text)) continue;
    // what is refused is none of that kind
    const href = await look(text).catch(() => undefined);
    if (href !== undefined) return href;
  }
  return undefined;
}
