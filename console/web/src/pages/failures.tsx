import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useMemo } from 'react';
import { useCall, usePages } from '../api/use-call.ts';
import { List } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { useKept } from '../parts/use-kept.ts';
import type { PageProps } from '../router.ts';
import { failureColumns, failureCountColumns } from './failure-columns.tsx';

const DAY_MS = 86_400_000;

const SPANS = [
  { value: '1', label: 'Today and yesterday' },
  { value: '7', label: 'Seven days' },
  { value: '30', label: 'Thirty days' },
  { value: '', label: 'All' },
];

const KINDS = [
  { value: '', label: 'All kinds' },
  { value: 'call', label: 'Calls' },
  { value: 'item', label: 'Binding' },
  { value: 'profile', label: 'Installation' },
  { value: 'reportItem', label: 'Reports' },
  { value: 'euiccData', label: 'eUICC data' },
] as const;

/** What failed, what its code means, and the way out. */
export function FailuresPage(_: PageProps) {
  const [days, setDays] = useKept('failures-days');
  const [kind, setKind] = useKept('failures-kind');
  const [code, setCode] = useKept('failures-code');
  const filter = useMemo(() => {
    const since = days === '' ? undefined : new Date(startOfDay() - Number(days) * DAY_MS).toISOString();
    const known = KINDS.find(({ value }) => value !== '' && value === kind)?.value;
    return {
      ...(since !== undefined && { since }),
      ...(known !== undefined && known !== '' && { kind: known }),
      ...(/^\w+$/.test(code) && { code }),
    };
  }, [days, kind, code]);
  const counts = useCall('ops.countFailures', filter);
  const { entries, more, loading, loadMore, reload, error } = usePages(
    'ops.listFailures',
    filter,
    ({ failures }) => failures,
  );
  const reloadAll = () => {
    reload();
    counts.reload();
  };
  return (
    <Page title="Failures" error={error ?? counts.error} loading={loading} onReload={reloadAll}>
      <SpaceBetween direction="horizontal" size="s">
        <Select
          ariaLabel="Time"
          selectedOption={SPANS.find(({ value }) => value === days) ?? SPANS[3]!}
          options={SPANS}
          onChange={({ detail }) => setDays(detail.selectedOption.value ?? '')}
        />
        <Select
          ariaLabel="Kind"
          selectedOption={KINDS.find(({ value }) => value === kind) ?? KINDS[0]}
          options={KINDS}
          onChange={({ detail }) => setKind(detail.selectedOption.value ?? '')}
        />
        <TextFilter
          filteringText={code}
          filteringPlaceholder="Code"
          filteringAriaLabel="Code"
          onChange={({ detail }) => setCode(detail.filteringText.trim())}
        />
      </SpaceBetween>
      <List
        title="By code"
        rows={counts.answer?.failures ?? []}
        keyOf={(one) => `${one.kind} ${one.code} ${one.party ?? ''} ${one.ein ?? ''}`}
        columns={failureCountColumns}
        empty="Nothing has failed"
        loading={counts.loading}
        description={counts.answer?.more ? 'There are more failures than were counted' : undefined}
      />
      <List
        title="One by one"
        rows={entries}
        keyOf={(one) => JSON.stringify(one)}
        columns={failureColumns}
        empty="Nothing has failed"
        loading={loading}
        onMore={more ? loadMore : undefined}
      />
    </Page>
  );
}

/** Milliseconds of the beginning of this day in UTC: the same filter all day. */
const startOfDay = () => Math.floor(Date.now() / DAY_MS) * DAY_MS;
