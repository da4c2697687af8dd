import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** A process whose resident memory is watched until it ends. */
export class Watched {
  readonly child: ChildProcess;
  /** Most octets seen so far. */
  most = 0;
  readonly #watch: NodeJS.Timeout;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#watch = setInterval(() => this.#look(), 50);
  }

  #look(): void {
    try {
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'));
      this.most = Math.max(this.most, Number(peak?.[1] ?? 0) * 1024);
    } catch {
      // it has ended
    }
  }

  /** Kills it, or waits for its end; its exit code, null where it was killed. */
  async ended(signal?: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      if (signal !== undefined) child.kill(signal);
      await once(child, 'exit');
    }
    clearInterval(this.#watch);
    return child.exitCode;
  }
}

export const mostOf = (processes: readonly Watched[]): number =>
  Math.max(...processes.map(({ most }) => most));
