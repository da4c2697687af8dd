import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { Fault } from '../../../shared/errors.ts';
import {
  ConnectionFailure,
  type ConnectionFailureKind,
  type FunctionAnswer,
  type JsonObject,
} from '../../../sim/index.ts';
import { wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';

/** Whether a command waits for work that goes on by itself once it is taken. */
export interface WaitOptions {
  readonly wait?: true;
  /** Seconds. */
  readonly timeout: number;
}

export const withWaitOptions = (command: Command): Command =>
  command
    .option('--wait', 'until it is done, with a bar where stderr is a terminal')
    .option('--timeout <seconds>', 'with --wait: for so long at most', wholeOption(1, 86_400), 600);

/** Work of the server that a call begins and that goes on by itself. */
export interface Work {
  /** Before the bar. */
  readonly label: string;
  /** Takes the work; never repeated by itself where the server refuses it. */
  readonly begin: () => Promise<FunctionAnswer>;
  /** Asks how far it is: a call that may be repeated. */
  readonly ask: () => Promise<FunctionAnswer>;
  readonly isUnderWay: (body: JsonObject) => boolean;
  readonly progress: (body: JsonObject) => { readonly done: number; readonly of: number };
}

/** Work that the same call begins and tells of: Pending until it is done. */
export const workOfOneCall = (
  label: string,
  call: () => Promise<FunctionAnswer>,
  progress: Work['progress'],
): Work => ({ label, begin: call, ask: call, isUnderWay: ({ state }) => state === 'Pending', progress });

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** A server that is busy, or has just been restarted: asked again. */
const BUSY = 503;
/** What may be otherwise at the next question: one that is not reached for as long as a call waits is gone. */
const MAY_PASS: readonly ConnectionFailureKind[] = ['silent', 'brokenOff'];

/**
 * Begins the work, and with --wait asks until it is done. Throws where that takes longer than the options allow: the work goes
 * on all the same, and the same command takes it up again.
 */
export async function answerOfWork(
  work: Work,
  { wait, timeout }: WaitOptions,
  io: CliIo,
): Promise<FunctionAnswer> {
  let answer = await work.begin();
  if (wait !== true || !isUnderWay(work, answer)) return answer;
  const deadline = io.now().getTime() + timeout * 1000;
  let total = work.progress(answer.body).of;
  let bar = io.progress(work.label, total);
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(1.5 * pause, LONGEST_PAUSE_MS)) {
      const { done, of } = work.progress(answer.body);
      if (of !== total) {
        bar.end();
        total = of;
        bar = io.progress(work.label, total);
      }
      // nobody knows yet how much there is to do
      if (of > 0) bar.update(done);
      if (io.now().getTime() > deadline)
        throw new Fault('dispatcher', `${work.label}: ${done} of ${of} after ${timeout} s; it goes on`, {
          retryable: true,
        });
      await sleep(pause);
      const next = await asked(work);
      if (next === undefined) continue;
      answer = next;
      if (!isUnderWay(work, answer)) return answer;
    }
  } finally {
    bar.end();
  }
}

/** Undefined where the server is busy, does not answer in time, or breaks off, for longer than a call itself waits. */
async function asked({ ask }: Work): Promise<FunctionAnswer | undefined> {
  try {
    const answer = await ask();
    return answer.httpStatus === BUSY ? undefined : answer;
  } catch (error) {
    if (error instanceof ConnectionFailure && MAY_PASS.includes(error.kind)) return undefined;
    throw error;
  }
}

const isUnderWay = ({ isUnderWay: under }: Work, { status, body }: FunctionAnswer) =>
  status.startsWith('Executed') && under(body);

export const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** What is said under an answer about work that is not done yet. */
export const goesOn = (isOn: boolean): readonly string[] =>
  isOn ? ['it goes on by itself: the same command with --wait tells when it is done'] : [];
