import { present } from '../../shared/present.ts';
import { STATUS_CODES, type StatusName } from '../../shared/status-codes.ts';
import { ConnectionFailure, type ConnectionFailureKind } from '../../sim/connection-failure.ts';
import type { FunctionAnswer } from '../../sim/function-answer.ts';
import { LinkRefused } from '../../sim/link-refused.ts';
import { NotExecuted } from '../../sim/not-executed.ts';
import type { Described } from './described.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { refusalHint } from './hints.ts';
import { systemError } from './system-error.ts';

/** What a server did to a command, in words; undefined of any other error. */
export function describeServerFailure(error: unknown): Described | undefined {
  if (error instanceof NotExecuted) return describeAnswer(error);
  if (error instanceof ConnectionFailure) return describeConnection(error);
  if (error instanceof LinkRefused) return describeLink(error);
  return undefined;
}

/** Of an answer that a function was not executed: a fault where it is the server's, or of what stands before it. */
export const exitCodeOf = ({ httpStatus }: Pick<FunctionAnswer, 'httpStatus'>): ExitCode =>
  httpStatus >= 500 ? EXIT.fault : EXIT.refused;

const LATER = 'Send the same again later: what the server has taken is not done twice.';

/** What a server has refused, as the same refusal in a folder: its code by the pair that the answer has, where that is one's own. */
function describeAnswer({ answer }: NotExecuted): Described {
  const { httpStatus, subjectCode, reasonCode, message = 'the server did not execute it' } = answer;
  const exitCode = exitCodeOf(answer);
  if (subjectCode === undefined) {
    const isFault = exitCode === EXIT.fault;
    const failure = {
      code: isFault ? 'system' : 'refused',
      message: `answered with HTTP ${httpStatus}, in no form of the interface`,
      hint: isFault
        ? `${LATER} The log of the server, or of what stands before it, says why.`
        : 'Check that the URL is that of an SM-DPf, and of its parties: something else has answered.',
    };
    return { failure, exitCode };
  }
  const names = (Object.keys(STATUS_CODES) as StatusName[]).filter(
    (name) => STATUS_CODES[name].subject === subjectCode && STATUS_CODES[name].reason === reasonCode,
  );
  const [name] = names;
  const told = { ...present({ subjectCode, reasonCode }), message };
  if (name !== undefined && names.length === 1)
    return { failure: { code: name, ...told, hint: refusalHint({ code: name }) }, exitCode };
  const meanings = names.map((one) => STATUS_CODES[one].meaning).join('; or ');
  const hint = `What the code means: ${meanings || 'see openapi.yaml'}.`;
  return { failure: { code: 'refused', ...told, hint }, exitCode };
}

interface Way {
  /** As of `Failure`: `usage` is a mistake in what was given, `system` the state of a machine or of the network. */
  readonly code: 'usage' | 'system';
  readonly hint: string;
}

const WAYS: Readonly<Record<ConnectionFailureKind, Way>> = {
  unreachable: { code: 'usage', hint: 'Check host and port of the URL, and that the server runs.' },
  tls: {
    code: 'usage',
    hint: 'Check that --tls-ca is the CA of the server, that its certificate has the name of the URL, and that --tls-cert and --tls-key are those it expects.',
  },
  brokenOff: {
    code: 'system',
    hint: `${LATER} Where it breaks off each time, check --tls-cert and --tls-key, and the log of the server.`,
  },
  silent: { code: 'system', hint: `${LATER} What it has taken goes on by itself.` },
  notHttp: {
    code: 'usage',
    hint: 'Check scheme and port of the URL: what listens there is no server of HTTP, or one with TLS.',
  },
};

function describeConnection({ kind, message, cause }: ConnectionFailure): Described {
  const { code, hint } = WAYS[kind];
  // one of the network on the way, and not of the address that was given
  const system = kind === 'unreachable' ? systemError(cause) : undefined;
  return {
    failure: { code, message, hint: system?.wayOut ?? hint },
    exitCode: code === 'usage' ? EXIT.usage : EXIT.fault,
  };
}

const NEW_LINK = 'Run it again: it goes on where it stopped, with a new link.';
/** The way out of a link that is not taken. */
const LINK_HINTS: Readonly<Record<number, string>> = {
  403: `${NEW_LINK} If that is refused as well, tell the operator of the server: the clock or the permissions of its store are wrong.`,
  404: `${NEW_LINK} If nothing is there then either, the life of the answer is over: make a new request.`,
  410: `${NEW_LINK} If nothing is there then either, the life of the answer is over: make a new request.`,
  413: 'Cut it into several: it is larger than the server takes.',
};

function describeLink({ httpStatus, message }: LinkRefused): Described {
  const mayPass = httpStatus >= 500 || httpStatus === 429;
  const failure = {
    code: mayPass ? 'system' : 'refused',
    message,
    hint: mayPass
      ? 'Run it again later: it goes on where it stopped. The log of the server, or of its store, says why.'
      : (LINK_HINTS[httpStatus] ?? `${NEW_LINK} If it is refused again, the log of the server says why.`),
  };
  return { failure, exitCode: mayPass ? EXIT.fault : EXIT.refused };
}
