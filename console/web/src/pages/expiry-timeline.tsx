import Box from '@cloudscape-design/components/box';
import type { Schemas } from '../api/client.ts';
import { day } from '../format.ts';
import { KIND_WORDS } from './trust-columns.tsx';

type Expiring = Schemas['ExpiringEntry'];

const WIDTH = 960;
const LEFT = 330;
const ROW = 26;
/** Days; what ends later reaches to the edge. */
const FURTHEST = 3_650;
const MARKS = [0, 7, 30, 90, 365, FURTHEST] as const;

/** A bar for each, from today to its end; the scale is logarithmic, since days matter now and years later. */
export function ExpiryTimeline({ ends }: { readonly ends: readonly Expiring[] }) {
  if (ends.length === 0) return <Box color="text-body-secondary">Nothing that is known here ends</Box>;
  const shown = ends.slice(0, 30);
  const height = ROW * shown.length + 30;
  const text = shown
    .map(({ kind, name, notAfter }) => `${KIND_WORDS[kind] ?? kind} ${name} ends ${day(notAfter)}`)
    .join('; ');
  return (
    <div className="timeline">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} width="100%" role="img" aria-label={`Ends by time: ${text}`}>
        {MARKS.map((days) => (
          <g key={days}>
            <line
              x1={xOf(days)}
              x2={xOf(days)}
              y1={0}
              y2={height - 22}
              stroke="currentColor"
              strokeOpacity={0.25}
            />
            <text
              x={xOf(days)}
              y={height - 6}
              textAnchor={days === 0 ? 'start' : days === FURTHEST ? 'end' : 'middle'}
            >
              {days === 0
                ? 'today'
                : days < 365
                  ? `${days} days`
                  : `${days / 365} y${days === FURTHEST ? ' and more' : ''}`}
            </text>
          </g>
        ))}
        {shown.map((one, index) => (
          <Bar key={`${one.kind} ${one.name}`} one={one} y={index * ROW} />
        ))}
      </svg>
    </div>
  );
}

function Bar({ one: { kind, name, notAfter, daysLeft }, y }: { readonly one: Expiring; readonly y: number }) {
  const label = `${KIND_WORDS[kind] ?? kind}: ${name}`;
  return (
    <g>
      <title>{`${label}, ends ${day(notAfter)}, ${daysLeft} days left`}</title>
      <text x={0} y={y + 16}>
        {label.length > 46 ? `${label.slice(0, 45)}…` : label}
      </text>
      <rect
        x={LEFT}
        y={y + 6}
        width={Math.max(3, xOf(daysLeft) - LEFT)}
        height={ROW - 12}
        rx={3}
        fill={colourOf(daysLeft)}
      />
    </g>
  );
}

const colourOf = (daysLeft: number) => (daysLeft < 14 ? '#db0000' : daysLeft < 90 ? '#b2911c' : '#006ce0');

const xOf = (days: number) =>
  LEFT + ((WIDTH - LEFT) * Math.log1p(Math.max(0, Math.min(days, FURTHEST)))) / Math.log1p(FURTHEST);
