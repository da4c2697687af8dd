import { type Json, pagesOf } from '../signed-calls.ts';
import { bad, type Check, good } from './check.ts';

const MAX_CLOCK_MS = 5_000;

/** What the configuration says the account has, and what it has. */
export const lambdaQuota: Check = {
  name: 'quota of Lambda',
  notOnEmulator: 'emulators have no quotas',
  wayOut: 'Attach the output DoctorPolicy to the role you call with.',
  async look({ stack, calls }) {
    const { lambdaConcurrency, reserved } = stack.description.quotas;
    const settings = (await calls.get('lambda', '/2016-08-19/account-settings/')) as {
      AccountLimit?: { ConcurrentExecutions?: number };
    };
    const has = settings.AccountLimit?.ConcurrentExecutions ?? 0;
    if (has < lambdaConcurrency)
      return bad(
        `the account runs ${has} at once; the configuration says ${lambdaConcurrency}`,
        'Have it raised (Service Quotas, L-B99A9384), or state what it is as lambdaConcurrency and deploy again.',
      );
    for (const [name, wanted] of Object.entries(reserved)) {
      const found: Json = await calls.get('lambda', `/2019-09-30/functions/${name}/concurrency`);
      if (found.ReservedConcurrentExecutions !== wanted)
        return bad(
          `${name} has ${found.ReservedConcurrentExecutions ?? 'no'} executions of its own, not ${wanted}`,
          'Deploy the stack again.',
        );
    }
    const parts = Object.entries(reserved).map(([name, count]) => `${count} for ${name}`);
    return good(`${has} at once; ${parts.join(', ') || 'no part is set aside'}`);
  },
};

interface Quota {
  readonly QuotaName: string;
  readonly QuotaCode: string;
  readonly Value: number;
}

/** Signatures of elliptic curves a second, of the whole account. */
export const kmsQuota: Check = {
  name: 'quota of KMS',
  notOnEmulator: 'emulators have no quotas',
  wayOut: 'Attach the output DoctorPolicy to the role you call with.',
  async look({ stack, calls }) {
    const wanted = stack.description.quotas.signsPerSecond;
    // of a quota that was never changed the first may say nothing
    for (const action of ['ListServiceQuotas', 'ListAWSDefaultServiceQuotas']) {
      const quotas = await pagesOf<Quota>('Quotas', (more) =>
        calls.json('servicequotas', '1.1', `ServiceQuotasV20190624.${action}`, {
          ServiceCode: 'kms',
          ...more,
        }),
      );
      const ecc = quotas.find(({ QuotaName }) => /cryptographic operations \(ECC\)/i.test(QuotaName));
      if (ecc === undefined) continue;
      return ecc.Value >= wanted
        ? good(`${ecc.Value} signatures a second; the stack uses ${wanted} of them`)
        : bad(
            `${ecc.Value} signatures a second; the configuration says ${wanted}`,
            `Have it raised (Service Quotas, ${ecc.QuotaCode}), or lower signsPerSecond and deploy again.`,
          );
    }
    return bad(
      'Service Quotas names no rate of ECC operations',
      'Look it up in the console, and compare it with signsPerSecond.',
    );
  },
};

/** Signed calls and the times in records want a clock that is right. */
export const clock: Check = {
  name: 'clock',
  wayOut: 'See that this machine reaches AWS, and has credentials.',
  async look({ calls }) {
    const ahead = await calls.clockAhead();
    const seconds = `${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead < 0 ? 'behind' : 'ahead of'} AWS`;
    return Math.abs(ahead) <= MAX_CLOCK_MS
      ? good(seconds)
      : bad(seconds, 'Set the clock of this machine by NTP.');
  },
};
