import { Fault } from '../../shared/errors.ts';
import {
  demand,
  list,
  mismatchText,
  object,
  optional,
  type TypeOf,
  text,
} from '../../shared/service/records/schema.ts';

/** The environment variable that holds the settings of the console as JSON. It contains no secret. */
export const CONSOLE_VARIABLE = 'SMDPF_CONSOLE';

const consoleSettings = object({
  /** What browsers call it by, `https://NAME`; on an emulator absent, where API Gateway says it in each event. */
  url: optional(text),
  /** The table of sessions. */
  table: text,
  /** The Operator's own login, for a client without a secret: PKCE alone. */
  oidc: object({
    issuer: text,
    clientId: text,
    scope: optional(text),
    nameClaim: optional(text),
    rolesClaim: text,
    viewers: list(text),
    administrators: list(text),
  }),
});

export type ConsoleSettings = TypeOf<typeof consoleSettings>;

/** What the stack has put into the environment. */
export function readSettings(json = process.env[CONSOLE_VARIABLE]): ConsoleSettings {
  if (json === undefined) throw new Fault('configuration', `${CONSOLE_VARIABLE} is not set`);
  const value: unknown = JSON.parse(json);
  demand(consoleSettings, value, (mismatch) => {
    throw new Fault('configuration', `${CONSOLE_VARIABLE} has ${mismatchText(mismatch)}`);
  });
  return value;
}
