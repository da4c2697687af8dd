import Container from '@cloudscape-design/components/container';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import type { TableProps } from '@cloudscape-design/components/table';
import Tabs from '@cloudscape-design/components/tabs';
import Toggle from '@cloudscape-design/components/toggle';
import type { Schemas } from '../api/client.ts';
import { useCall, usePages } from '../api/use-call.ts';
import { number } from '../format.ts';
import { Copy } from '../parts/copy.tsx';
import { List, Mono } from '../parts/list.tsx';
import { DeviceLink, JobLink, OrderLink } from '../parts/named-links.tsx';
import { Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import { useKept } from '../parts/use-kept.ts';
import { When } from '../parts/when.tsx';
import { changeQuery, type PageProps, usePlace } from '../router.ts';

type Job = Schemas['JobSummary'];
type RefusedItem = Schemas['RefusedJobItem'];
type Ingest = Schemas['IngestSummary'];
type Report = Schemas['ReportSummary'];

/** Milliseconds between looks at what is under way. */
const LIVE = 2_000;

const Progress = ({
  job: { bound, refused, items },
}: {
  readonly job: Pick<Job, 'bound' | 'refused' | 'items'>;
}) => (
  <ProgressBar
    ariaLabel="Items answered"
    value={(100 * (bound + refused)) / Math.max(1, items)}
    additionalInfo={`${number(bound)} bound, ${number(refused)} refused of ${number(items)}`}
  />
);

const JOB_COLUMNS: TableProps.ColumnDefinition<Job>[] = [
  {
    id: 'request',
    header: 'Request',
    cell: (job) => <JobLink id={job.jobId}>{job.requestId}</JobLink>,
    isRowHeader: true,
  },
  { id: 'state', header: 'State', cell: ({ state }) => <State of={state} />, minWidth: 130 },
  { id: 'progress', header: 'Progress', cell: (job) => <Progress job={job} />, minWidth: 260 },
  { id: 'party', header: 'Device manufacturer', cell: ({ party }) => party },
  { id: 'order', header: 'Order', cell: ({ orderId }) => <OrderLink id={orderId} /> },
  {
    id: 'createdAt',
    header: 'Taken',
    cell: ({ createdAt }) => <When at={createdAt} />,
    minWidth: 190,
  },
];

export function JobsPage({ place }: PageProps) {
  const [, jobId] = place.path;
  return jobId === undefined ? <Work /> : <OneJob jobId={jobId} />;
}

/** Everything that goes on by itself. */
function Work() {
  const { tab = 'requests' } = usePlace().query;
  return (
    <Page title="Jobs" description="What goes on by itself, as it goes on">
      <Tabs
        ariaLabel="Kinds of work"
        activeTabId={tab}
        onChange={({ detail }) => changeQuery({ tab: detail.activeTabId })}
        tabs={[
          { id: 'requests', label: 'Requests', content: <Requests /> },
          { id: 'ingests', label: 'eUICC data', content: <Ingests /> },
          { id: 'reports', label: 'Reports', content: <Reports /> },
        ]}
      />
    </Page>
  );
}

function Requests() {
  const [open, setOpen] = useKept('jobs-open');
  const { entries, more, loading, loadMore } = usePages(
    'ops.listJobs',
    open === 'yes' ? { open: true } : {},
    ({ jobs }) => jobs,
  );
  const live = useCall('ops.listJobs', { ...(open === 'yes' && { open: true }), limit: 100 }, LIVE);
  // what is new or goes on is in the first page; further pages stay as they came
  const first = live.answer?.jobs ?? [];
  const known = new Set(first.map(({ jobId }) => jobId));
  const rows = [...first, ...entries.filter(({ jobId }) => !known.has(jobId))];
  return (
    <List
      title="Requests for Bound Profile Packages"
      rows={open === 'yes' ? first : rows}
      keyOf={({ jobId }) => jobId}
      columns={JOB_COLUMNS}
      empty={
        open === 'yes'
          ? 'Nothing is under way'
          : 'No request yet: device manufacturers send them by esbpp.requestBpp, or smdpf request send'
      }
      loading={loading}
      onMore={more && open !== 'yes' ? loadMore : undefined}
      filter={
        <Toggle checked={open === 'yes'} onChange={({ detail }) => setOpen(detail.checked ? 'yes' : '')}>
          Only what is under way
        </Toggle>
      }
    />
  );
}

const INGEST_COLUMNS: TableProps.ColumnDefinition<Ingest>[] = [
  { id: 'batchId', header: 'Batch', cell: ({ batchId }) => <Mono>{batchId}</Mono>, isRowHeader: true },
  { id: 'state', header: 'State', cell: ({ state }) => <State of={state} />, minWidth: 130 },
  { id: 'party', header: 'EUM', cell: ({ party }) => party },
  {
    id: 'entries',
    header: 'Entries',
    cell: ({ entries }) => (entries === undefined ? '–' : number(entries)),
  },
  { id: 'accepted', header: 'Accepted', cell: (one) => number(one.accepted) },
  { id: 'rejected', header: 'Rejected', cell: (one) => number(one.rejected) },
  { id: 'takenAt', header: 'Taken', cell: ({ takenAt }) => <When at={takenAt} />, minWidth: 190 },
  { id: 'reason', header: 'Refused because', cell: ({ reason }) => reason?.message ?? '' },
];

function Ingests() {
  const { answer, loading } = useCall('ops.listIngests', { limit: 200 }, LIVE);
  return (
    <List
      title="Batches of eUICC data"
      rows={answer?.ingests ?? []}
      keyOf={({ party, batchId }) => `${party} ${batchId}`}
      columns={INGEST_COLUMNS}
      empty="No batch yet: EUMs send them by esed1.registerEuiccData, or smdpf register"
      loading={loading}
    />
  );
}

const REPORT_COLUMNS: TableProps.ColumnDefinition<Report>[] = [
  { id: 'reportId', header: 'Report', cell: ({ reportId }) => <Mono>{reportId}</Mono>, isRowHeader: true },
  { id: 'state', header: 'State', cell: ({ state }) => <State of={state} />, minWidth: 130 },
  { id: 'party', header: 'Device manufacturer', cell: ({ party }) => party },
  { id: 'verified', header: 'Verified', cell: (one) => number(one.verified) },
  { id: 'noted', header: 'Noted', cell: (one) => number(one.noted) },
  { id: 'rejected', header: 'Rejected', cell: (one) => number(one.rejected) },
  { id: 'takenAt', header: 'Taken', cell: ({ takenAt }) => <When at={takenAt} />, minWidth: 190 },
];

function Reports() {
  const { answer, loading } = useCall('ops.listReports', { limit: 200 }, LIVE);
  return (
    <List
      title="Loading reports"
      rows={answer?.reports ?? []}
      keyOf={({ party, reportId }) => `${party} ${reportId}`}
      columns={REPORT_COLUMNS}
      empty="No report yet: device manufacturers send them by esbpp.sendProfileLoadingReport, or smdpf report send"
      loading={loading}
    />
  );
}

const ITEM_COLUMNS: TableProps.ColumnDefinition<RefusedItem>[] = [
  { id: 'itemId', header: 'Item', cell: ({ itemId }) => itemId, isRowHeader: true },
  { id: 'eid', header: 'EID', cell: ({ eid }) => <DeviceLink eid={eid} /> },
  { id: 'codes', header: 'Code', cell: (one) => `${one.code} (${one.subjectCode}/${one.reasonCode})` },
  { id: 'message', header: 'Why', cell: ({ message }) => message },
];

function OneJob({ jobId }: { readonly jobId: string }) {
  const { answer, error, loading, reload } = useCall('ops.getJob', { jobId }, LIVE);
  const items = usePages('ops.getJob', { jobId }, ({ refusedItems }) => refusedItems);
  return (
    <Page title={`Request ${answer?.requestId ?? ''}`} error={error} loading={loading} onReload={reload}>
      {answer && (
        <Container>
          <KeyValuePairs
            columns={4}
            items={[
              { label: 'State', value: <State of={answer.state} /> },
              ...(answer.reason ? [{ label: 'Refused because', value: answer.reason.message }] : []),
              { label: 'Order', value: <OrderLink id={answer.orderId} /> },
              { label: 'Device manufacturer', value: answer.party },
              { label: 'Taken', value: <When at={answer.createdAt} /> },
              { label: 'Progress', value: <Progress job={answer} /> },
              { label: 'Chunks', value: `${number(answer.committedChunks)} of ${number(answer.chunks)}` },
              { label: 'Request', value: <Copy text={answer.requestId} what="request" /> },
              { label: 'Job', value: <Copy text={answer.jobId} what="job" /> },
            ]}
          />
        </Container>
      )}
      <List
        title="Items that were refused"
        rows={items.entries}
        keyOf={({ itemId }) => String(itemId)}
        columns={ITEM_COLUMNS}
        empty="No item was refused"
        loading={items.loading}
        onMore={items.more ? items.loadMore : undefined}
      />
    </Page>
  );
}
