import { askClock } from '../../net/sntp.ts';
import type { RuntimeConfig } from '../../runtime-config.ts';
import type { Context } from '../context.ts';
import { ClockWatch } from './clock-watch.ts';
import { OutsideAnchor } from './outside-anchor.ts';

/** What makes the audit log evidence: an end that somebody else keeps, and a clock that somebody else has. */
export class Evidence {
  readonly anchor: OutsideAnchor;
  readonly clock: ClockWatch;

  constructor(
    context: Context,
    { auditAnchor, timeSource }: Pick<RuntimeConfig, 'auditAnchor' | 'timeSource'>,
  ) {
    this.anchor = new OutsideAnchor(context, auditAnchor);
    this.clock = new ClockWatch(context, timeSource, askClock);
  }
}
