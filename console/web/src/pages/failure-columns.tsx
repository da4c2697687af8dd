import type { TableProps } from '@cloudscape-design/components/table';
import type { Schemas } from '../api/client.ts';
import { number } from '../format.ts';
import { DeviceLink, OrderLink, ProfileLink } from '../parts/named-links.tsx';
import { When } from '../parts/when.tsx';

type Failure = Schemas['FailureEntry'];
type FailureCount = Schemas['FailureCount'];

const KINDS: Readonly<Record<string, string>> = {
  call: 'a call',
  item: 'binding',
  profile: 'installation',
  reportItem: 'a report',
  euiccData: 'eUICC data',
};

const codesOf = ({ code, subjectCode, reasonCode }: Pick<Failure, 'code' | 'subjectCode' | 'reasonCode'>) =>
  subjectCode === undefined ? code : `${code} (${subjectCode}/${reasonCode})`;

/** What a code means, and the way out. */
const meaning: TableProps.ColumnDefinition<Failure | FailureCount>[] = [
  { id: 'code', header: 'Code', cell: codesOf, isRowHeader: true },
  { id: 'meaning', header: 'Meaning', cell: (one) => one.meaning },
  { id: 'todo', header: 'Way out', cell: (one) => one.todo },
];

export const failureCountColumns: TableProps.ColumnDefinition<FailureCount>[] = [
  { id: 'count', header: 'Times', cell: (one) => number(one.count) },
  { id: 'kind', header: 'Of', cell: (one) => KINDS[one.kind] ?? one.kind },
  ...meaning,
  { id: 'party', header: 'Party', cell: (one) => one.party ?? '–' },
  { id: 'ein', header: 'EUM (EIN)', cell: (one) => one.ein ?? '–' },
  { id: 'lastAt', header: 'Last', cell: (one) => <When at={one.lastAt} />, minWidth: 190 },
];

export const failureColumns: TableProps.ColumnDefinition<Failure>[] = [
  { id: 'at', header: 'At', cell: (one) => <When at={one.at} />, minWidth: 190 },
  { id: 'kind', header: 'Of', cell: (one) => KINDS[one.kind] ?? one.kind },
  { id: 'count', header: 'Times', cell: (one) => number(one.count) },
  ...meaning,
  {
    id: 'where',
    header: 'Where',
    cell: (one) => (
      <>
        {one.orderId !== undefined && <OrderLink id={one.orderId} />}{' '}
        {one.eid !== undefined && <DeviceLink eid={one.eid} />}{' '}
        {one.iccid !== undefined && <ProfileLink iccid={one.iccid} />} {one.function ?? ''}
      </>
    ),
  },
  { id: 'party', header: 'Party', cell: (one) => one.party ?? '–' },
  { id: 'detail', header: 'Detail', cell: (one) => one.detail ?? '–' },
];
