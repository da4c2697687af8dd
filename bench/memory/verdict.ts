import type { Peak } from './stand.ts';

export interface Measured extends Peak {
  readonly size: number;
}

export interface Verdict {
  readonly what: string;
  readonly passed: boolean;
}

const megabytes = (octets: number) => `${(octets / 1e6).toFixed(0)} MB`;

/** Whether every server kept within the limit, whether memory is flat from the smallest size to the largest, and whether all came to its end. */
export function verdicts(
  measured: readonly Measured[],
  { limitMb, flat }: { readonly limitMb: number; readonly flat: number },
): readonly Verdict[] {
  const most = Math.max(...measured.map(({ server }) => server));
  const ended = measured.every(({ complete }) => complete);
  const sizes = measured.map(({ size }) => size);
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
  const grown = measured
    .filter(({ size }) => size === largest && largest > smallest)
    .flatMap(({ work, server, client }) => {
      const small = measured.find((one) => one.work === work && one.size === smallest);
      if (small === undefined) return [];
      const growth = (side: string, from: number, to: number): Verdict => ({
        what: `${work}, ${side}: ${megabytes(from)} at ${smallest}, ${megabytes(to)} at ${largest}, ${(to / from).toFixed(2)} times; at most ${flat}`,
        passed: to <= flat * from,
      });
      return [growth('server', small.server, server), growth('client', small.client, client)];
    });
  return [
    {
      what: `servers: ${megabytes(most)} at most; the limit is ${limitMb} MB`,
      passed: most <= limitMb * 1e6,
    },
    ...grown,
    { what: 'each came to its end after it was killed', passed: ended },
  ];
}
