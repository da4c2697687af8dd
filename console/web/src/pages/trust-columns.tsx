import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { TableProps } from '@cloudscape-design/components/table';
import type { Schemas } from '../api/client.ts';
import { day } from '../format.ts';

type Expiring = Schemas['ExpiringEntry'];

export const KIND_WORDS: Readonly<Record<string, string>> = {
  dppb: 'binding certificate (DPpb)',
  ci: 'eSIM CA (CI)',
  eum: 'EUM',
  crl: 'revocation list',
  party: 'party',
  tls: 'TLS of this server',
  callback: 'client certificate for callbacks',
  key: 'key',
};

export const expiringColumns: TableProps.ColumnDefinition<Expiring>[] = [
  {
    id: 'daysLeft',
    header: 'Days left',
    cell: ({ daysLeft }) => (
      <StatusIndicator type={daysLeft < 0 ? 'error' : daysLeft < 14 ? 'warning' : 'info'}>
        {daysLeft}
      </StatusIndicator>
    ),
  },
  { id: 'notAfter', header: 'Ends', cell: ({ notAfter }) => day(notAfter), minWidth: 130 },
  { id: 'kind', header: 'Kind', cell: ({ kind }) => KIND_WORDS[kind] ?? kind },
  { id: 'name', header: 'Name', cell: ({ name }) => name, isRowHeader: true },
  { id: 'todo', header: 'What to do', cell: ({ todo }) => todo },
];
