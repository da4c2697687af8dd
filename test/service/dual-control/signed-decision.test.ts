import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../shared/service/api/caller.ts';
import { Deployment } from '../../support/deployment.ts';
import { Signer } from '../../support/signed-decision.ts';

/** A login of the console: who it is called says the provider, and nobody's key says it. */
const login = (name: string): Caller => ({
  identifier: 'console',
  role: 'administrator',
  fingerprint: 'ab'.repeat(32),
  name,
  knownBy: 'login',
});
const ANNA = login('anna@operator.example');
const BEN = login('ben@operator.example');

let deployment: Deployment;
let anna: Signer;
let ben: Signer;
let certificate: string;
let clockMs: number;

beforeEach(async () => {
  // lists and certificates that are made with it are of the second before
  clockMs = Date.now() + 60_000;
  deployment = await Deployment.create({ memory: true, now: () => clockMs });
  [anna, ben] = [new Signer('anna'), new Signer('ben')];
  const { dualControl, services } = deployment.runtime;
  for (const { name, publicKey } of [anna, ben])
    await dualControl.administrators.add(name, publicKey, 'test');
  await dualControl.setPolicy({ actions: ['key.retire'], hours: 24 }, 'test');
  const { trust } = await services.inventory.listTrust();
  certificate = trust.find(({ kind }) => kind === 'dppb')!.certificate!;
  return () => deployment.close();
});

const operations = () => deployment.runtime.services.operations;
const list = () => deployment.runtime.services.inventory.listApprovals();
const later = (minutes: number) => new Date(clockMs + minutes * 60_000).toISOString();
const newRequest = () => randomBytes(16).toString('hex');

/** What somebody signs about the retirement of the certificate; `changes` in the place of right members. */
function signed(
  by: Signer,
  decision: 'request' | 'approve' | 'withdraw' | 'begin',
  request: string,
  changes: Parameters<Signer['sign']>[0] | object = {},
): string {
  const right = {
    deployment: deployment.config.deployment,
    request,
    action: 'key.retire',
    subject: certificate,
    decision,
  } as const;
  return by.sign({ ...right, ...changes }, clockMs);
}

const send = (caller: Caller, decision: string) => operations().signApproval(caller, { decision });
const retire = (caller: Caller, begin?: string) =>
  operations().retireCertificate(caller, { certificate, ...(begin !== undefined && { begin }) });
const lines = async (event: string) => {
  await deployment.runtime.audit.chain();
  return (await deployment.runtime.services.inventory.listAuditLines({ event })).lines;
};

async function asked(): Promise<string> {
  const request = newRequest();
  await send(ANNA, signed(anna, 'request', request));
  return request;
}

describe('dual control by decisions that were signed in a browser', { tags: ['DUAL-CONTROL'] }, () => {
  it('shows who asked, when, for what and until when, and is done by two, once, with both names in the log', async () => {
    await expect(retire(ANNA)).rejects.toMatchObject({ code: 'requesterNotAllowed' });
    const request = await asked();
    expect(await list()).toMatchObject({
      guarded: ['key.retire', 'administrators'],
      hours: 24,
      administrators: [{ name: 'anna', byCommand: false }, { name: 'ben' }],
      approvals: [
        {
          request,
          action: 'key.retire',
          subject: certificate,
          state: 'waiting',
          requestedBy: 'anna',
          requestedAt: later(0),
          endsAt: later(24 * 60),
        },
      ],
    });
    await expect(retire(ANNA, signed(anna, 'begin', request))).rejects.toThrow('is waiting');
    await send(BEN, signed(ben, 'approve', request));
    expect(await retire(ANNA, signed(anna, 'begin', request))).toEqual({ isNew: true });
    expect(await lines('trust.dppb.retired')).toMatchObject([
      { by: 'console', who: { person: 'anna', knownBy: 'key', approvedBy: 'ben' } },
    ]);
    expect(await lines('approval.requested')).toMatchObject([
      { who: { person: 'anna' }, about: { request, login: 'anna@operator.example' } },
    ]);
    expect(await lines('approval.given')).toMatchObject([
      { who: { person: 'ben' }, about: { request, login: 'ben@operator.example' } },
    ]);
    expect((await list()).approvals).toMatchObject([{ state: 'done', approvedBy: 'ben', doneBy: 'anna' }]);
    await expect(retire(BEN, signed(ben, 'begin', request))).rejects.toThrow('is done');
  });

  it('is not agreed to by who asked: not under the same key, nor under another one in the same login', async () => {
    const request = await asked();
    await expect(send(BEN, signed(anna, 'approve', request))).rejects.toThrow('anna asked for this');
    await expect(send(ANNA, signed(ben, 'approve', request))).rejects.toThrow(
      'anna@operator.example asked for this under another key',
    );
    await send(BEN, signed(ben, 'approve', request));
  });

  it('is declined by the second one, and not done then', async () => {
    const request = await asked();
    await send(BEN, signed(ben, 'withdraw', request));
    expect(await lines('approval.withdrawn')).toMatchObject([
      { who: { person: 'ben' }, about: { request, login: 'ben@operator.example' } },
    ]);
    await expect(send(BEN, signed(ben, 'approve', request))).rejects.toThrow('it is withdrawn');
    await expect(retire(ANNA, signed(anna, 'begin', request))).rejects.toThrow('is withdrawn');
  });

  it('is over after its time, and asked for anew', async () => {
    const request = await asked();
    await expect(send(BEN, signed(ben, 'request', newRequest()))).rejects.toThrow(
      `${request} is there already`,
    );
    clockMs += 24 * 60 * 60_000;
    expect((await list()).approvals).toMatchObject([{ state: 'over' }]);
    await expect(send(BEN, signed(ben, 'approve', request))).rejects.toThrow('it is over');
    await asked();
  });

  it('takes a call that is repeated as the same one, and goes on after a crash within the action', async () => {
    const request = newRequest();
    const decision = signed(anna, 'request', request);
    await send(ANNA, decision);
    await send(ANNA, decision);
    expect((await list()).approvals).toHaveLength(1);
    await send(BEN, signed(ben, 'approve', request));
    // retired, and the process died before it could say so
    await deployment.runtime.trustAdministration.retireDpPb(certificate, 'test');
    expect(await retire(ANNA, signed(anna, 'begin', request))).toEqual({ isNew: false });
    expect((await list()).approvals).toMatchObject([{ state: 'done' }]);
  });

  it.each([
    ['another deployment', { deployment: 'elsewhere' }, 'for another deployment'],
    ['another thing', { subject: 'cd'.repeat(32) }, 'and nothing else'],
    ['another action', { action: 'erase' }, 'and nothing else'],
    ['a time long ago', { minutes: -6 }, 'too long ago'],
    ['a time to come', { minutes: 6 }, 'too long ago'],
    ['no time', { at: 'now' }, 'too long ago'],
    ['the name of somebody else', { name: 'anna' }, 'not signed by an administrator'],
    ['a name that nobody has', { name: 'mallory' }, 'not signed by an administrator'],
    ['a member that there is not', { more: 'x' }, 'more'],
  ])('that is for %s agrees to nothing', async (_, change, says) => {
    const changes = 'minutes' in change ? { at: later(change.minutes!) } : change;
    const request = await asked();
    await expect(send(BEN, signed(ben, 'approve', request, changes))).rejects.toThrow(says);
    expect((await list()).approvals).toMatchObject([{ state: 'waiting' }]);
  });

  it('is not to be begun by what was signed to agree, nor the other way round', async () => {
    const request = await asked();
    await expect(send(BEN, signed(ben, 'begin', request))).rejects.toThrow('to the function that does it');
    const agreed = signed(ben, 'approve', request);
    await send(BEN, agreed);
    await expect(retire(BEN, agreed)).rejects.toThrow('not to begin');
  });

  it.each([
    ['of no algorithm', { alg: 'none', typ: 'smdpf-approval+jws' }],
    ['of another kind', { alg: 'ES256', typ: 'smdpf-identity+jws' }],
  ])('is not taken with a header %s', async (_, header) => {
    const right = { deployment: 'd', request: newRequest(), action: 'key.retire', subject: 's' } as const;
    const decision = anna.sign({ ...right, decision: 'request' }, clockMs, header);
    await expect(send(ANNA, decision)).rejects.toMatchObject({ code: 'protocolFormat' });
    await expect(send(ANNA, 'a.b')).rejects.toMatchObject({ code: 'protocolFormat' });
    await expect(send(ANNA, '!.!.!')).rejects.toMatchObject({ code: 'protocolFormat' });
  });

  it('is not asked for where one person is enough, nor by who was removed', async () => {
    await expect(send(ANNA, signed(anna, 'request', newRequest(), { action: 'erase' }))).rejects.toThrow(
      'takes one person here',
    );
    await deployment.runtime.dualControl.administrators.remove('anna', 'test');
    await expect(asked()).rejects.toThrow('not signed by an administrator');
  });

  it('is by commands alone for who acts as a role of AWS', async () => {
    const carla = new Signer('carla');
    const role = 'arn:aws:iam::111111111111:role/smdpf-carla';
    await deployment.runtime.dualControl.administrators.add('carla', carla.publicKey, 'test', role);
    await expect(send(login('carla'), signed(carla, 'request', newRequest()))).rejects.toThrow(
      'acts as a role of AWS',
    );
    expect((await list()).administrators).toContainEqual(
      expect.objectContaining({ name: 'carla', byCommand: true }),
    );
  });
});
