import { toHex } from '../../codec/bytes.ts';
import type { Person } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';

/** Takes into the audit log (I8) who comes to the console with which role, and who leaves. */
export async function noteSession(
  { ledger, now, random }: Context,
  what: 'login' | 'logout',
  by: Person,
  role: 'viewer' | 'administrator',
): Promise<void> {
  const line = { event: `console.${what}`, by, about: { role } } as const;
  await ledger.write(auditWrite(line, `session-${toHex(random(16))}`, now()));
}
