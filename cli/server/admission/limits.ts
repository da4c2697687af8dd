import { type Members, object, optional, whole } from '../../../shared/service/records/schema.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const connectionMembers = {
  /** Open at once. */
  connections: optional(whole),
  /** Open at once from one address on which no registered party has called. */
  connectionsPerAddress: optional(whole),
  /** New ones a second from one address; five times as many at once. */
  newConnectionsPerSecond: optional(whole),
  /** Seconds for the head of a request, also of the first one after TLS. */
  headSeconds: optional(whole),
  /** Seconds for a whole body of a function. */
  bodySeconds: optional(whole),
  /** Seconds that a call waits for its turn before it is sent away with 1.2/6.4. */
  waitSeconds: optional(whole),
  /** Octets of bodies held by all calls at once. */
  bodyOctets: optional(whole),
} as const;

const partyMembers = {
  ...connectionMembers,
  connectionsPerParty: optional(whole),
  /** Calls of one party in work at once; others of it wait. */
  callsPerParty: optional(whole),
  /** Octets of bodies held by calls of one party at once. */
  bodyOctetsPerParty: optional(whole),
  /** Octets of bodies and answers of one party, in the long run; eight times as many at once. */
  octetsPerSecondPerParty: optional(whole),
  /** Reads of ledger and vault for one party, each of 4 KiB at most, in the long run; eight times as many at once. */
  readsPerSecondPerParty: optional(whole),
  /** Transfers of one party under way at once; others of it wait. */
  transfersPerParty: optional(whole),
  /** Octets of transfers of one party, up and down; eight times as many at once, and slower after that. */
  transferOctetsPerSecondPerParty: optional(whole),
} as const;

const fieldMembers = {
  ...connectionMembers,
  /** Calls from one address, in the long run; twice as many at once. */
  callsPerSecondPerAddress: optional(whole),
  /** Calls from all addresses. */
  callsPerSecond: optional(whole),
  /** In work at once. */
  callsAtOnce: optional(whole),
  /** Milliseconds that a notification stands back while calls of parties are in work. */
  standBackMs: optional(whole),
} as const;

/** `server.limits` of config.json: what one caller may take of an embedded server (I13). */
export const limitsConfig = object({
  parties: optional(object(partyMembers)),
  field: optional(object(fieldMembers)),
});

export type PartyLimits = Required<Members<typeof partyMembers>>;
export type FieldLimits = Required<Members<typeof fieldMembers>>;
export type ConnectionLimits = Required<Members<typeof connectionMembers>> & {
  readonly connectionsPerParty?: number;
};

export interface Limits {
  readonly parties: PartyLimits;
  readonly field: FieldLimits;
}

export interface ChosenLimits {
  readonly parties?: Partial<PartyLimits> | undefined;
  readonly field?: Partial<FieldLimits> | undefined;
}

/** The table of docs/operators.md. */
export const DEFAULT_LIMITS: Limits = {
  parties: {
    connections: 1_000,
    connectionsPerAddress: 128,
    connectionsPerParty: 128,
    newConnectionsPerSecond: 100,
    headSeconds: 10,
    bodySeconds: 30,
    waitSeconds: 5,
    callsPerParty: 16,
    bodyOctets: 64 * MIB,
    bodyOctetsPerParty: 16 * MIB,
    octetsPerSecondPerParty: 32 * MIB,
    readsPerSecondPerParty: 20_000,
    transfersPerParty: 8,
    transferOctetsPerSecondPerParty: 64 * MIB,
  },
  field: {
    connections: 256,
    connectionsPerAddress: 32,
    newConnectionsPerSecond: 20,
    headSeconds: 10,
    bodySeconds: 5,
    waitSeconds: 5,
    bodyOctets: MIB,
    callsPerSecondPerAddress: 10,
    callsPerSecond: 100,
    callsAtOnce: 1,
    standBackMs: 25,
  },
};

/** What is not shared out among listeners: how long each takes, in seconds. */
const TIMES: readonly (keyof PartyLimits)[] = ['headSeconds', 'bodySeconds', 'waitSeconds'];

/** What each of so many listeners lets a caller take, so that all of them together let it take about what the limits say. */
export function partOf(limits: PartyLimits, listeners: number): PartyLimits {
  const part = { ...limits };
  for (const name of Object.keys(part) as (keyof PartyLimits)[])
    if (!TIMES.includes(name)) part[name] = Math.ceil(limits[name] / listeners);
  return part;
}

export const limitsOf = ({ parties, field }: ChosenLimits = {}): Limits => ({
  parties: { ...DEFAULT_LIMITS.parties, ...parties },
  field: { ...DEFAULT_LIMITS.field, ...field },
});
