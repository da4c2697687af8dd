export interface Progress {
  /** `done` of the total so far; `note` stands behind the numbers. */
  update(done: number, note?: string): void;
  /** Removes the bar. */
  end(): void;
}

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR = 24;
const REDRAW_MS = 80;

/** A bar that redraws itself in place, at most every 80 ms; silent where `terminal` is none. */
export function progressBar(terminal: Terminal, label: string, total: number, nowMs: () => number): Progress {
  if (terminal.isTTY !== true) return { update() {}, end() {} };
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    update(done, note) {
      const at = nowMs();
      if (done < total && at - drawnAt < REDRAW_MS) return;
      drawnAt = at;
      const share = total === 0 ? 1 : Math.min(1, done / total);
      const full = Math.round(share * BAR);
      const bar = `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
      const line = `${label} ${bar} ${done}/${total}${note === undefined ? '' : `  ${note}`}`;
      terminal.write(`\r${line.slice(0, (terminal.columns ?? 80) - 1)}\x1b[K`);
    },
    end() {
      terminal.write('\r\x1b[K');
    },
  };
}
