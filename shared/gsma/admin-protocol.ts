import { refuse } from '../errors.ts';
import { PROTOCOL_VERSION } from '../ifpp-draft1/version.ts';
import type { FunctionName } from './interface-function.ts';

/** What an LPA in the field sends (SGP.22 section 6.5.1.1). HandleNotification is alike in v2 and v3. */
const RSP_VERSION = /^gsma\/rsp\/v[23]\.[0-9]{1,3}\.[0-9]{1,3}$/;

/**
 * The value of X-Admin-Protocol, which the answer repeats; 1.3.2/3.1 where it is missing or another version. Only
 * ES9+ also takes published versions: its one function is SGP.22's own, and the devices that call it know no other.
 */
export function checkAdminProtocol(value: string | undefined, path: FunctionName): string {
  if (value === undefined) refuse('protocolVersion', 'X-Admin-Protocol is missing');
  const takesPublished = path.startsWith('es9plus.');
  if (value === PROTOCOL_VERSION || (takesPublished && RSP_VERSION.test(value))) return value;
  const published = takesPublished ? ', gsma/rsp/v2.x.y or gsma/rsp/v3.x.y' : '';
  return refuse('protocolVersion', `X-Admin-Protocol is not ${PROTOCOL_VERSION}${published}`);
}
