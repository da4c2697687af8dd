import { generateKeyPairSync } from 'node:crypto';
import { floorOfBind, SESSION_ELEMENTS } from '../floor.ts';

/** Bindings per second of CPU time by bare calls of node:crypto: `floorOfBind` for P-256, in its lean form. */
export function jobFloor(milliseconds = 1000): number {
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const work = floorOfBind(
    'lean',
    { namedCurve: 'P-256', euiccOtpk: pair().publicKey, signingKey: pair().privateKey },
    SESSION_ELEMENTS,
  );
  for (let warm = 0; warm < 200; warm++) work();
  const before = process.cpuUsage();
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < milliseconds; count++) work();
  const { user, system } = process.cpuUsage(before);
  return (count * 1e6) / (user + system);
}
