import { describe, expect, it } from 'vitest';
import { kmsFault } from '../../../shared/keys/awskms/errors.ts';
import { AwsKmsProvider } from '../../../shared/keys/awskms.ts';
import { fault } from '../contract.ts';
import { useEmulatorCredentials } from '../kms-emulator.ts';

useEmulatorCredentials();

describe('a KMS that cannot be reached', () => {
  const KEY = 'awskms:alias=smdpf/dppb;region=us-east-1';
  const at = (endpoint: string) => new AwsKmsProvider({ endpoint, patience: { interactive: 10, bulk: 10 } });

  it.each([
    ['where nobody listens', 'http://127.0.0.1:9', 'ECONNREFUSED 127.0.0.1:9'],
    ['whose name nobody knows', 'https://kms.invalid', 'kms.invalid'],
  ])('%s is told with its place and with what decides it', async (_, endpoint, place) => {
    const keys = at(endpoint);
    const { code, message } = await fault(keys.describe(KEY));
    await keys.close();
    expect(code).toBe('keyProvider');
    expect(message).toContain(place);
    expect(message).toContain('alias/smdpf/dppb');
    expect(message).toContain('endpoint=');
    expect(message).toContain('AWS_ENDPOINT_URL');
  });

  it('is told where several addresses were tried', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED', address: '::1', port: 443 });
    expect(kmsFault(new AggregateError([refused]), 'Sign', 'KEY').message).toContain('ECONNREFUSED ::1:443');
  });

  it('for want of a region is a matter of configuration', () => {
    const error = kmsFault(new Error('Region is missing'), 'Sign', 'KEY');
    expect(error).toMatchObject({ code: 'configuration', message: expect.stringContaining('AWS_REGION') });
  });
});
