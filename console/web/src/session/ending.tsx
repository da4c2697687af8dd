import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { useEffect, useState } from 'react';
import { time } from '../format.ts';
import { UNATTENDED_MS, unattendedMs } from './attention.ts';
import { readSession } from './session.ts';

/** Milliseconds: a session ends so long after its last call (docs/console.md). */
const IDLE_MS = 30 * 60_000;
/** Milliseconds before the end of a session from which on people are warned. */
const WARNED_MS = 10 * 60_000;
const EVERY_MS = 5_000;

/** Warns whoever is logged in that the session is about to end: for good, or because nobody does anything. */
export function SessionEnding({
  endsAt,
  onEnded,
}: {
  readonly endsAt: string;
  readonly onEnded: () => void;
}) {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((before) => before + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const leftMs = Date.parse(endsAt) - Date.now();
  const idleMs = unattendedMs();
  const over = leftMs <= 0 || idleMs >= IDLE_MS;
  useEffect(() => {
    if (over) onEnded();
  }, [over, onEnded]);
  if (leftMs < WARNED_MS)
    return (
      <Alert type="warning" header={`This session ends in ${minutes(leftMs)}`}>
        After twelve hours everybody logs in again, at {time(endsAt)}. What was changed is kept.
      </Alert>
    );
  if (idleMs < UNATTENDED_MS) return null;
  return (
    <Alert
      type="warning"
      header={`This session ends in ${minutes(IDLE_MS - idleMs)}`}
      action={<Button onClick={() => void readSession()}>Stay logged in</Button>}
    >
      Nobody has done anything here for {minutes(idleMs)}, and what is shown is of then.
    </Alert>
  );
}

const minutes = (ms: number) => `${Math.max(1, Math.round(ms / 60_000))} min`;
