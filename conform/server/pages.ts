import { randomBytes, randomInt } from 'node:crypto';
import { type Bytes, equal, toHex } from '../../shared/codec/bytes.ts';
import type { EcPoint } from '../../sim/curve.ts';
import type { PersonalisedEuicc } from '../../sim/eum.ts';
import { type FunctionAnswer, type JsonObject, stringAt } from '../../sim/http.ts';
import { partNameOf } from '../../sim/ifpp-draft1/batch-manifest.ts';
import {
  assemblePagedBatch,
  type BppRequest,
  decodeBppBatch,
  type ManifestRoot,
  provenParts,
  readManifestRoot,
} from '../../sim/ifpp-draft1.ts';
import { SimError } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import { ask, requestOf } from './requests.ts';
import type { ServerRule } from './rules.ts';
import { listAt, type ServerRun } from './run.ts';

const RULES: readonly ServerRule[] = [
  'server.pages.root',
  'server.pages.proof',
  'server.pages.parts',
  'server.pages.repeat',
  'server.pages.beyond',
];

/** eUICCs that are registered in one batch. */
const REGISTERED = 1_000;

/** An answer with pages, and where the rest of it comes from. */
export interface PagedAnswer {
  readonly request: BppRequest;
  /** FF67. */
  readonly root: Bytes;
  readonly deliveryKeys: readonly EcPoint[];
  /** FF68 as it is answered at this place; empty where it is refused. */
  readonly page: (place: number) => Promise<Bytes>;
  readonly part: (name: string) => Promise<Bytes>;
}

/** A request that is too large for one manifest: the pages of its answer, and what is behind the last of them. */
export async function checkPages(run: ServerRun): Promise<void> {
  const { conformity, input, maker } = run;
  if (input.large === undefined)
    return conformity.skip('no large request was made; smdpf conform server --large makes one', ...RULES);
  const orderId = `${run.orderId}-PAGES`;
  if (!(await isOrdered(run, orderId, input.large))) return conformity.skip('nothing was ordered', ...RULES);
  const euiccs = await registered(run, input.large);
  const request = { ...requestOf(run, euiccs), orderId };
  const call = `esbpp.requestBpp of ${input.large} items`;
  const body = run.executed('server.pages.root', call, await ask(run, request));
  if (body === undefined) return;
  const root = stringAt(body, 'manifestRoot');
  if (root === undefined)
    return conformity.skip('the answer came without pages: it takes more items', ...RULES);
  const ofPage = (page: number) =>
    run.settled(() =>
      maker.client.call('esbpp', 'getBppBatch', { requestId: toHex(request.requestId), page }),
    );
  const { pages } = await checkPagedAnswer(conformity, {
    request,
    root: Buffer.from(root, 'base64'),
    deliveryKeys: await deliveryKeysOf(run),
    page: async (page) => octetsAt(await ofPage(page), 'manifestPage'),
    part: async (name) => {
      const asked = { requestId: toHex(request.requestId), name };
      const { downloadUrl } = await maker.client.execute('esbpp', 'getTransfer', asked);
      return await maker.client.download(String(downloadUrl));
    },
  });
  const again = stringAt((await ask(run, request)).body, 'manifestRoot');
  conformity.check(
    'server.pages.repeat',
    again === root,
    `${call} once more`,
    'the same root',
    'another root',
  );
  if (pages !== undefined)
    run.refused('server.pages.beyond', `esbpp.getBppBatch of page ${pages}`, '1.6/3.9', await ofPage(pages));
}

const octetsAt = ({ body }: FunctionAnswer, name: string): Bytes =>
  Buffer.from(stringAt(body, name) ?? '', 'base64');

/** Holds the root and its pages, asked for in their order, against each other and against the request. */
export async function checkPagedAnswer(
  conformity: Conformity<ServerRule>,
  answer: PagedAnswer,
): Promise<{ readonly pages: number | undefined }> {
  const root = checkRoot(conformity, answer);
  if (root === undefined) {
    conformity.skip('the root was not taken', ...RULES);
    return { pages: undefined };
  }
  const pages: Bytes[] = [];
  const named: Bytes[] = [];
  for (let place = 0; place < root.pages; place++) {
    const der = await answer.page(place);
    pages.push(der);
    const where = `page ${place} of ${root.pages}`;
    try {
      named.push(...provenParts(root, der, place, named.length));
      conformity.passed('server.pages.proof');
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
      conformity.failed('server.pages.proof', where, 'FF68, proved to be at this place', error.message);
      conformity.skip('a page is not under the root', ...RULES);
      return { pages: root.pages };
    }
  }
  await checkNamed(conformity, answer, root, pages, named);
  for (const place of new Set([0, root.pages - 1]))
    conformity.check(
      'server.pages.repeat',
      equal(await answer.page(place), pages[place]!),
      `page ${place} once more`,
      `the same ${pages[place]!.length} octets`,
      'another page',
    );
  return { pages: root.pages };
}

function checkRoot(
  conformity: Conformity<ServerRule>,
  { request, root, deliveryKeys }: PagedAnswer,
): ManifestRoot | undefined {
  const id = 'server.pages.root';
  try {
    const read = readManifestRoot(root, deliveryKeys);
    const { requestId, items, parts, pages } = read;
    const isOfRequest = equal(requestId, request.requestId) && items === request.items.length;
    const holds = isOfRequest && pages > 0 && parts >= pages;
    conformity.check(
      id,
      holds,
      'manifestRoot',
      `requestId ${toHex(request.requestId)}, ${request.items.length} items, at least a part on each page`,
      `requestId ${toHex(requestId)}, ${items} items, ${parts} parts on ${pages} pages`,
    );
    return holds ? read : undefined;
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    conformity.failed(id, 'manifestRoot', 'FF67, signed by one of deliveryKeys', error.message);
    return undefined;
  }
}

/** The parts that the pages name, put together. */
async function checkNamed(
  conformity: Conformity<ServerRule>,
  { request, root, part }: PagedAnswer,
  { parts }: ManifestRoot,
  pages: readonly Bytes[],
  named: readonly Bytes[],
): Promise<void> {
  const id = 'server.pages.parts';
  const holds = conformity.check(
    id,
    named.length === parts,
    'the pages',
    `${parts} parts`,
    `${named.length}`,
  );
  if (!holds) return;
  try {
    const octets = new Map<string, Bytes>();
    for (const name of named.map(partNameOf)) octets.set(name, await part(name));
    const whole = assemblePagedBatch(
      root,
      (place) => pages[place]!,
      (name) => octets.get(name)!,
    );
    const { items } = decodeBppBatch(whole);
    const at = request.items.findIndex(
      ({ itemId, eid }, i) => items[i]?.itemId !== itemId || items[i].eid !== eid,
    );
    conformity.check(
      id,
      at < 0 && items.length === request.items.length,
      'the parts',
      `${request.items.length} items, in the order of the request`,
      () => `${items.length} items${at < 0 ? '' : `, item ${at} of another eUICC`}`,
    );
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    conformity.failed(
      id,
      'the parts',
      'BppItems with the size and SHA-256 that their page names',
      error.message,
    );
  }
}

/** A further order, of as many profiles as are to be asked for. */
async function isOrdered(run: ServerRun, orderId: string, quantity: number): Promise<boolean> {
  const { input, operator, outputKey } = run;
  const members = {
    orderId,
    profileType: 'conform',
    quantity,
    requesterDms: [input.maker.functionRequesterIdentifier],
    personalisation: {
      iccidStart: `8989${String(randomInt(1e7)).padStart(7, '0')}0000000`,
      imsiStart: '001010000000001',
      keys: 'generate',
    },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Conformance', profileClass: 'operational' },
    outputKey: outputKey.jwk,
  };
  const ordered = await operator.client.submit(
    'es2f',
    'prepareProfiles',
    'template',
    input.template,
    members,
  );
  if (run.executed('server.order.prepared', 'es2f.prepareProfiles of many', ordered) === undefined)
    return false;
  const settled = await run.settled(() =>
    operator.client.call('es2f', 'getOrderStatus', { orderId, limit: 1 }),
  );
  const body: JsonObject | undefined = run.executed('server.order.prepared', 'es2f.getOrderStatus', settled);
  return body !== undefined && stringAt(body, 'state') === 'Open';
}

async function registered(run: ServerRun, count: number): Promise<readonly PersonalisedEuicc[]> {
  const { simEum, maker } = run.input;
  const euiccs: PersonalisedEuicc[] = [];
  while (euiccs.length < count) {
    const some = Array.from({ length: Math.min(REGISTERED, count - euiccs.length) }, () =>
      simEum.personalise({ keys: 1 }),
    );
    const batch = simEum.euiccDataBatch(some, {
      batchId: randomBytes(16),
      deviceManufacturers: [maker.functionRequesterIdentifier],
    });
    const answer = await run.settled(() => run.eum.registerEuiccData(batch));
    run.executed('server.register.accepted', 'esed1.registerEuiccData of many', answer);
    euiccs.push(...some);
  }
  return euiccs;
}

/** The keys that getServerKeys tells, as points on P-256. */
async function deliveryKeysOf({ maker }: ServerRun): Promise<readonly EcPoint[]> {
  const { body } = await maker.client.call('esbpp', 'getServerKeys', {});
  return listAt(body, 'deliveryKeys').map((key) => {
    const [x, y] = ['x', 'y'].map((name) => Buffer.from(stringAt(key, name) ?? '', 'base64url'));
    return { curve: 'p256', point: Buffer.concat([Uint8Array.of(4), x!, y!]) };
  });
}
