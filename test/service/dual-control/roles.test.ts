import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '../../../shared/errors.ts';
import { SqliteLedger } from '../../../shared/ledger/sqlite.ts';
import type { Identity, PersonalKey } from '../../../shared/service/dual-control/administrators.ts';
import { DualControl } from '../../../shared/service/dual-control/dual-control.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';

const ACCOUNT = '111111111111';
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/smdpf-${name}`;
const session = (of: string, called: string) => async () =>
  `arn:aws:sts::${ACCOUNT}:assumed-role/smdpf-${of}/${called}`;

/** As KMS keeps one for a role: whoever has the role signs, nobody else. */
function keyOf(): PersonalKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }),
    sign: async ({ message }) => sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

const RETIRE = { action: 'key.retire', subject: 'awskms:key-id=old' } as const;
const keys = { anna: keyOf(), ben: keyOf() };
let ledger: SqliteLedger;
let control: DualControl;

beforeEach(async () => {
  ledger = await SqliteLedger.open(':memory:');
  control = new DualControl(ledger, () => 1_800_000_000_000, 'a-deployment');
  for (const name of ['anna', 'ben'] as const)
    await control.administrators.add(name, keys[name].publicKey, 'test', role(name));
  await control.setPolicy({ actions: ['key.retire'], hours: 24 }, 'test');
  return () => ledger.close();
});

const by = ({ name, knownBy }: Identity) => ({ through: 'cli', person: name, knownBy });
const act = async (name: 'anna' | 'ben', called: string) =>
  await control.administrators.identify(keys[name], session(name, called));
const begin = (who: Identity) => control.begin(RETIRE, by(who), who);
const asked = async (who: Identity): Promise<string> => {
  const refusal: unknown = await begin(who).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Refusal);
  return refusal instanceof Refusal ? refusal.subjectIdentifier! : '';
};

describe('dual control by two roles of AWS', { tags: ['DUAL-CONTROL'] }, () => {
  it('is done by two roles, which the log knows as that', async () => {
    const anna = await act('anna', 'anna');
    const request = await asked(anna);
    const ben = await act('ben', 'ben');
    await control.approve(request, by(ben), ben);
    expect(await begin(anna)).toMatchObject({ person: 'anna', knownBy: 'awsRole', approvedBy: 'ben' });
  });

  it('is not agreed to by another session of the role that asked, whatever it is called', async () => {
    const request = await asked(await act('anna', 'anna'));
    const again = await act('anna', 'ben');
    expect(again.name).toBe('anna');
    await expect(control.approve(request, by(again), again)).rejects.toThrow('anna asked for this');
  });

  it('takes the key and the role of the same person', async () => {
    await expect(control.administrators.identify(keys.ben, session('anna', 'ben'))).rejects.toThrow(
      `ben acts as ${role('ben')}, and this is ${role('anna')}`,
    );
    const elsewhere = async () => 'arn:aws:sts::222222222222:assumed-role/smdpf-ben/ben';
    await expect(control.administrators.identify(keys.ben, elsewhere)).rejects.toThrow('222222222222');
  });

  it('gives a role to one person', async () => {
    const add = (name: string, arn: string) =>
      control.administrators.add(name, keyOf().publicKey, 'test', arn);
    await expect(add('carla', role('ben'))).rejects.toThrow('is ben: one role is one person');
    await expect(add('carla', `arn:aws:iam::${ACCOUNT}:role/path/smdpf-ben`)).rejects.toThrow('is ben');
    await expect(add('carla', `arn:aws:iam::${ACCOUNT}:root`)).rejects.toThrow('neither a role nor a user');
    await expect(
      control.administrators.add('ben', keys.ben.publicKey, 'test', role('carla')),
    ).rejects.toThrow('another key or role');
  });

  it('serves nobody where the ledger was edited so that one role is both', async () => {
    const anna = await act('anna', 'anna');
    const request = await asked(anna);
    const ben = await act('ben', 'ben');
    await control.approve(request, by(ben), ben);
    const key = ledgerKeys.administrator('ben');
    const item = (await ledger.get(key))!;
    const attributes = { ...item.attributes, awsRole: role('anna') };
    await ledger.write({ put: key, attributes, when: { revision: item.revision } });
    await expect(begin(anna)).rejects.toThrow('is not signed by two administrators');
  });
});
