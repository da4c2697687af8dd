import Link from '@cloudscape-design/components/link';
import { grouped, short } from '../format.ts';
import { hrefOf } from '../router.ts';
import { Mono } from './list.tsx';

/** Links to what an identifier stands for. */
export const OrderLink = ({ id }: { readonly id: string }) => (
  <Link href={hrefOf(['orders', id])}>
    <span className="when">{id}</span>
  </Link>
);

export const DeviceLink = ({ eid }: { readonly eid: string | undefined }) =>
  eid === undefined ? (
    '–'
  ) : (
    <Link href={hrefOf(['devices', eid])}>
      <Mono>{grouped(eid)}</Mono>
    </Link>
  );

export const ProfileLink = ({ iccid }: { readonly iccid: string | undefined }) =>
  iccid === undefined ? (
    '–'
  ) : (
    <Link href={hrefOf(['devices', iccid])}>
      <Mono>{grouped(iccid)}</Mono>
    </Link>
  );

export const JobLink = ({ id, children }: { readonly id: string; readonly children?: string }) => (
  <Link href={hrefOf(['jobs', id])}>
    <Mono>{short(children ?? id)}</Mono>
  </Link>
);
