/** What the demo has done, step by step, for the table at its end. */
export interface Step {
  /** Number in the flow of SGP.41 section 5.1, or of its sub-step. */
  readonly step: string;
  readonly interface: string;
  readonly what: string;
  readonly outcome: string;
  readonly ms: number;
}

/** A trouble made on purpose: what was expected, and what came. */
export interface Trouble {
  readonly trouble: string;
  readonly expected: string;
  readonly got: string;
  readonly refused: boolean;
}

export class DemoRecord {
  readonly steps: Step[] = [];
  readonly troubles: Trouble[] = [];
  readonly #say: (text: string) => void;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** Runs a step; `outcome` says in a few words what came of it. */
  async step<T>(
    step: string,
    iface: string,
    what: string,
    run: () => Promise<T>,
    outcome: (result: T) => string,
  ): Promise<T> {
    const startedAt = performance.now();
    const result = await run();
    const done: Step = {
      step,
      interface: iface,
      what,
      outcome: outcome(result),
      ms: Math.round(performance.now() - startedAt),
    };
    this.steps.push(done);
    this.#say(`[${step.padStart(5)}] ${what}: ${done.outcome}`);
    return result;
  }

  trouble(trouble: string, expected: string, got: string): void {
    const refused = got.startsWith(expected);
    this.troubles.push({ trouble, expected, got, refused });
    this.#say(`[ trbl] ${trouble}: ${got}${refused ? '' : ` (expected ${expected})`}`);
  }
}
