/**
 * Every kind of thing that is stored: who writes and reads it, how long it lives and what ends it (I10). docs/lives.md
 * is made of this table; a name without a row fails a test, and the bucket's lifecycle rules are the rows that say so.
 */
export interface StoredKind {
  readonly what: string;
  /** `*` stands for any text. A name is of the first row that fits it. */
  readonly names: string;
  readonly writtenBy: string;
  readonly readBy: string;
  readonly lives: string;
  readonly endedBy: string;
  /** Vault objects that the bucket of the AWS deployment ends by itself, a few days old, whoever forgot them. */
  readonly expiresOnAws?: true;
}

export const kind = (
  names: string,
  what: string,
  [writtenBy, readBy]: readonly [writtenBy: string, readBy: string],
  [lives, endedBy]: readonly [lives: string, endedBy: string],
): StoredKind => ({ names, what, writtenBy, readBy, lives, endedBy });

export const REAPER = 'the reaper, after 15 minutes, where its attempt is lost';
export const FOR_EVER = ['for ever', 'nobody'] as const;
export const LOCKED = ['for ever, locked', 'nobody'] as const;
export const WITH_DEPLOYMENT = ['with the deployment', '`smdpf erase`'] as const;
