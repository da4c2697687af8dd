import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { restore } from '../../../shared/service/restore/restore.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';
import { findingsOf } from '../verify/findings.ts';
import { backUp, putBack } from './backup.ts';

/** One chunk an item, two chunks a page, and pages for jobs of more than three chunks. */
const CONFIG = { inlineLimit: 1_000, chunkSize: 1, packSize: 50, manifest: { whole: 3, page: 2 } };
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ config: CONFIG });
});
afterAll(() => deployment?.close());

/** The root and the pages of an answer. */
async function whole(request: Request): Promise<readonly BppAnswer[]> {
  const { services } = deployment.runtime;
  const ask = (page?: number) =>
    vi.waitFor(
      async () => {
        const answer = await services.delivery.getBppBatch(request.by, { requestId: request.hex, page });
        expect(answer.state).toBe('Done');
        return answer;
      },
      { timeout: 60_000 },
    );
  const root = await ask();
  const answers = [root];
  for (let page = 0; page < root.pages!; page++) answers.push(await ask(page));
  return answers;
}

it('the pages of jobs before and after a backup are the same once it is restored, and nothing is found in them', {
  tags: ['I9'],
  timeout: 300_000,
}, async () => {
  await prepare(deployment, 'PAGES', 10);
  const euiccs = await registered(deployment, 10);
  const requestFor = (some: typeof euiccs) =>
    new Request(
      'PAGES',
      some.map(({ eid }) => ({ eid })),
    );
  const [before, after] = [requestFor(euiccs.slice(0, 5)), requestFor(euiccs.slice(5))];
  await before.send(deployment.runtime);
  const known = await whole(before);
  await backUp(deployment);

  await after.send(deployment.runtime);
  const since = await whole(after);
  await deployment.runtime.audit.chain();
  await deployment.runtime.audit.archive();
  await putBack(deployment);

  const { unguarded, standing, context } = deployment.runtime;
  expect(await restore(unguarded, standing)).toMatchObject({ jobs: 1, commits: 5, bound: 5, problems: [] });
  expect(await context.ledger.get(ledgerKeys.openWork('job', after.jobId('test')))).toBeUndefined();
  expect(await whole(before)).toEqual(known);
  expect(await whole(after)).toEqual(since);
  expect(await findingsOf(deployment.runtime)).toEqual([]);
});
