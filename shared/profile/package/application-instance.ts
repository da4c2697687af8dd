import type { Bytes } from '../../codec/bytes.ts';
import { toHex } from '../../codec/bytes.ts';
import type { Tlv } from '../../codec/tlv.ts';
import { child, children } from './element.ts';
import type { ProfileElement } from './profile-element.ts';

/** What is read of an ApplicationInstance (TCA eUICC Profile Package section 8.7.3); AIDs in upper-case hexadecimal. */
export interface ApplicationInstance {
  readonly instanceAid: string | undefined;
  readonly extraditedTo: string | undefined;
  /** One octet, DEFAULT 07. */
  readonly lifeCycleState: number;
  readonly offset: number;
}

const AID = 0x4f;
const LIFE_CYCLE_STATE = 0x83;
const SELECTABLE = 0x07;

function decodeInstance(element: Tlv): ApplicationInstance {
  const fields = children(element);
  // load package, class, instance, and the security domain that it is extradited to
  const [, , instance, domain] = fields.filter(({ tag }) => tag === AID).map(({ value }) => aidText(value));
  return {
    instanceAid: instance,
    extraditedTo: domain,
    lifeCycleState: child(fields, LIFE_CYCLE_STATE)?.value[0] ?? SELECTABLE,
    offset: element.offset,
  };
}

export const aidText = (aid: Bytes): string => toHex(aid).toUpperCase();

/** The instances of a PE-SecurityDomain (one) or a PE-Application; none of other PEs. */
export function applicationInstances({ name, fields }: ProfileElement): readonly ApplicationInstance[] {
  if (name === 'securityDomain') {
    const instance = child(fields, 0xa1);
    return instance === undefined ? [] : [decodeInstance(instance)];
  }
  if (name !== 'application') return [];
  const list = child(fields, 0xa2);
  return list === undefined ? [] : children(list).map(decodeInstance);
}
