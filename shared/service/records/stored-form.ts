import { type RecordOf, recordOf } from './record.ts';
import { text, whole } from './schema.ts';

/**
 * Which form is in force, from a deployment's first start on. Every release has to read this record and the next one, those
 * too that are older than what they tell of: their members never change.
 */
export const formRecord = recordOf('stored form', {
  form: whole,
  /** Milliseconds since 1970. */
  since: whole,
  /** The release whose command activated it, or that made the deployment. */
  by: text,
});

/** A release that has worked on this deployment; its name has the release. */
export const releaseRecord = recordOf('release at work', {
  /** The newest form that it reads. */
  reads: whole,
  /** When one of its processes last said so: milliseconds since 1970. */
  seen: whole,
});

export type FormRecord = RecordOf<typeof formRecord>;
export type ReleaseRecord = RecordOf<typeof releaseRecord>;
