import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import type { ReactNode } from 'react';

interface ListProps<Row> {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly columns: readonly TableProps.ColumnDefinition<Row>[];
  readonly empty: string;
  readonly loading?: boolean;
  readonly filter?: ReactNode;
  readonly actions?: ReactNode;
  readonly description?: ReactNode;
  /** There are more, and this brings them. */
  readonly onMore?: (() => void) | undefined;
  readonly variant?: TableProps.Variant;
}

/** A table with its title, how many there are, and the way to more. */
export function List<Row>(props: ListProps<Row>) {
  const {
    title,
    rows,
    keyOf,
    columns,
    empty,
    loading = false,
    filter,
    actions,
    description,
    onMore,
    variant,
  } = props;
  return (
    <Table
      variant={variant ?? 'container'}
      header={
        <Header counter={`(${rows.length}${onMore ? '+' : ''})`} description={description} actions={actions}>
          {title}
        </Header>
      }
      items={[...rows]}
      trackBy={keyOf}
      columnDefinitions={columns}
      loading={loading && rows.length === 0}
      loadingText="Loading"
      {...(filter !== undefined && { filter })}
      empty={<Box textAlign="center">{empty}</Box>}
      enableKeyboardNavigation
      wrapLines
      ariaLabels={{ tableLabel: title }}
      {...(onMore !== undefined && {
        footer: (
          <Box textAlign="center">
            <SpaceBetween size="xs" alignItems="center">
              <Button onClick={onMore} loading={loading}>
                Show more
              </Button>
            </SpaceBetween>
          </Box>
        ),
      })}
    />
  );
}

/** Digits and identifiers, in letters of one width. */
export const Mono = ({ children }: { readonly children: ReactNode }) => (
  <span className="mono">{children}</span>
);
