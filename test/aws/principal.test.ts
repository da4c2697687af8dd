import { describe, expect, it } from 'vitest';
import { principalOf } from '../../shared/aws/principal.ts';

const ROLE = 'arn:aws:iam::111111111111:role/smdpf-anna';

describe('who acts on AWS', () => {
  it.each([
    ['a session of a role', 'arn:aws:sts::111111111111:assumed-role/smdpf-anna/anna'],
    ['another session of it, of whatever name', 'arn:aws:sts::111111111111:assumed-role/smdpf-anna/ben'],
    ['the role itself', ROLE],
    ['the role with its path, which STS leaves out', 'arn:aws:iam::111111111111:role/people/smdpf-anna'],
  ])('is the role: %s', (_, arn) => {
    expect(principalOf(arn)).toBe(ROLE);
  });

  it('is a user by name', () => {
    const user = 'arn:aws-cn:iam::111111111111:user/anna';
    expect(principalOf(user)).toBe(user);
  });

  it.each([
    ['the account itself', 'arn:aws:iam::111111111111:root'],
    ['somebody federated', 'arn:aws:sts::111111111111:federated-user/anna'],
    ['no ARN', 'anna'],
    ['a session that names a second role', 'arn:aws:sts::111111111111:assumed-role/smdpf-anna/a/b'],
  ])('is nobody: %s', (_, arn) => {
    expect(() => principalOf(arn)).toThrow(expect.objectContaining({ code: 'requesterUnknown' }));
  });
});
