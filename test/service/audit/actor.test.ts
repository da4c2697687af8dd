import { describe, expect, it } from 'vitest';
import { personOf } from '../../../shared/service/api/actor.ts';
import { auditWrite } from '../../../shared/service/audit/line.ts';
import { waitingLine } from '../../../shared/service/records/audit.ts';

const line = (by: Parameters<typeof auditWrite>[0]['by']) => {
  const write = auditWrite({ event: 'party.revoked', by, about: { fingerprint: 'ab'.repeat(32) } }, 'id', 0);
  return waitingLine.decode('attributes' in write && write.attributes, {
    code: 'ledger',
    what: 'the write',
    name: 'audit',
  });
};

describe('who did it', { tags: ['DPFS01'] }, () => {
  it('is a party or a part of the server by its name alone', () => {
    expect(line('server')).toMatchObject({ by: 'server' });
    expect(line('server')).not.toHaveProperty('who');
  });

  it('is a person by name, by what vouches for it, and by the door', () => {
    const anna = { through: 'cli', person: 'anna', knownBy: 'osUser' } as const;
    expect(line(anna)).toMatchObject({ by: 'cli', who: { person: 'anna', knownBy: 'osUser' } });
    expect(line({ ...anna, approvedBy: 'ben' }).who).toEqual({
      person: 'anna',
      knownBy: 'osUser',
      approvedBy: 'ben',
    });
  });

  it('is the holder of a client certificate, by the register’s name or else by the fingerprint', () => {
    const caller = { identifier: '2.999.80', role: 'administrator', fingerprint: 'cd'.repeat(32) } as const;
    expect(personOf({ ...caller, name: 'Ben' })).toEqual({
      through: '2.999.80',
      person: 'Ben',
      knownBy: 'certificate',
    });
    expect(personOf(caller).person).toBe(`certificate ${caller.fingerprint}`);
  });
});
