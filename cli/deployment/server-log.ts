/** One line of the server's log: a call, or what the server itself has to tell. */
export type ServerLog = (record: Readonly<Record<string, unknown>>) => void;
