import { describe, expect, it } from 'vitest';
import type { OperatorConfig } from '../../lib/config.ts';
import { EXAMPLES } from '../../lib/operators/index.ts';
import { actionsOf, emptyBundles, statementsOf, templateOf } from './synthesized.ts';

const bundles = emptyBundles();
const [config] = EXAMPLES as [OperatorConfig];
const [anna, ben] = config.administrators!.map(({ roleArn }) => roleArn) as [string, string];
const template = templateOf(config, bundles);
const keys = Object.entries(template.findResources('AWS::KMS::Key')).filter(([, { Properties }]) =>
  String(Properties.Description).endsWith('signs for dual control'),
);

describe('the keys of two administrators on AWS', { tags: ['DUAL-CONTROL'] }, () => {
  it('are one each, on P-256, to sign with, and stay where the stack goes', () => {
    expect(keys).toHaveLength(2);
    for (const [, key] of keys)
      expect(key).toMatchObject({
        DeletionPolicy: expect.stringMatching(/^Retain/),
        Properties: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
      });
  });

  it('sign for the role of one person, against every other policy of the account', () => {
    const signers = keys.map(([id]) => {
      const of = statementsOf(template).filter(
        (one) => one.id === id && actionsOf(one.statement).includes('kms:Sign'),
      );
      const [allowed, denied] = of.map(({ statement }) => statement);
      expect(of).toHaveLength(2);
      const role = (allowed!.Principal as { AWS: string }).AWS;
      expect(denied).toMatchObject({
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Condition: { ArnNotEquals: { 'aws:PrincipalArn': role } },
      });
      return role;
    });
    expect(signers.toSorted()).toEqual([anna, ben]);
  });

  it('are in the policy of no other role, but for what the doctor looks at', () => {
    const ids = keys.map(([id]) => id);
    const others = statementsOf(template).filter(
      ({ type, statement }) =>
        type !== 'AWS::KMS::Key' && ids.some((id) => JSON.stringify(statement.Resource ?? '').includes(id)),
    );
    expect(others.map(({ id, statement }) => [id.replace(/[0-9A-F]{8}$/, ''), actionsOf(statement)])).toEqual(
      [['DoctorPolicy', ['kms:DescribeKey']]],
    );
  });
});

describe('the store outside for ends of the audit log', { tags: ['I8'] }, () => {
  const { bucketArn } = config.auditAnchor!;
  const reach = (of = template) =>
    statementsOf(of).filter(({ statement }) => JSON.stringify(statement.Resource ?? '').includes(bucketArn));
  const without = templateOf({ ...config, auditAnchor: undefined } as unknown as OperatorConfig, bundles);

  it('is written by the Lambda of the audit log alone, in one folder, and nothing is taken back', () => {
    const all = reach();
    const writers = all.filter(({ statement }) => actionsOf(statement).includes('s3:PutObject'));
    expect(writers.map(({ id }) => id)).toEqual([expect.stringMatching(/^auditchainRole/)]);
    expect(JSON.stringify(writers[0]?.statement.Resource)).toContain(`/audit-heads/${config.deployment}/*`);
    const actions = all.flatMap(({ statement }) => actionsOf(statement));
    expect(actions.filter((action) => /Delete|Bypass|Bucket(?!$)|Legal/.test(action))).toEqual([]);
  });

  it('is read by who administers', () => {
    const readers = reach().filter(({ type }) => type === 'AWS::IAM::ManagedPolicy');
    expect(readers.flatMap(({ statement }) => actionsOf(statement)).toSorted()).toEqual([
      's3:GetObject',
      's3:ListBucket',
    ]);
  });

  it('takes the delivery key to sign with, which that Lambda does not have without one', () => {
    const signs = (of: typeof template) =>
      statementsOf(of).some(
        ({ id, statement }) => id.startsWith('auditchainRole') && actionsOf(statement).includes('kms:Sign'),
      );
    expect([signs(template), signs(without)]).toEqual([true, false]);
    expect(reach(without)).toEqual([]);
  });

  it('is named to that Lambda, with the clock, and to who verifies', () => {
    const [chain] = Object.values(template.findResources('AWS::Lambda::Function')).filter(
      ({ Properties }) => Properties.FunctionName === `${config.name}-audit-chain`,
    );
    const place = 's3://example-mobile-audit-heads?lock-days=3650&region=eu-west-1';
    const environment = JSON.stringify(chain?.Properties.Environment).replaceAll('\\', '');
    expect(environment).toContain(`"auditAnchor":"${place}"`);
    expect(environment).toContain('"timeSource":"sntp:time.aws.com"');
    expect(JSON.stringify(template.findOutputs('Runtime'))).toContain(place);
  });
});
