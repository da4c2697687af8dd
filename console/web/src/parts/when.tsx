import { ago, time } from '../format.ts';

/** A time in the zone that somebody has chosen; both zones, and how long ago, on whoever points at it. */
export const When = ({ at }: { readonly at: string | undefined }) =>
  at === undefined ? (
    '–'
  ) : (
    <time dateTime={at} title={`${time(at, 'UTC')}\n${time(at, 'local')}\n${ago(at)}`} className="when">
      {time(at)}
    </time>
  );
