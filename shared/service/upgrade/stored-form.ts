import manifest from '../../../package.json' with { type: 'json' };
import { Fault } from '../../errors.ts';
import { asRead, becomes, changeItem, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Item, Ledger } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { Actor } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import { type HeldForm, holdForm, NEWEST_FORM } from '../records/forms.ts';
import { ledgerKeys, partitions, RELEASE } from '../records/keys.ts';
import { formRecord, releaseRecord } from '../records/stored-form.ts';

/** Milliseconds for which a look counts: so long after an activation processes still write the earlier form. */
export const LOOK_MS = 30_000;
/** How old what a release says of itself may become before one of its processes says it again. */
const SAID_MS = 60_000;
/** A release that has said nothing for so long has no process at work. */
export const SILENT_MS = 3 * 60_000;
/** The form of a deployment that does not say so: the first there was. */
const FIRST_FORM = 1;

/** A release, and the newest form that it reads. */
export interface Release {
  readonly release: string;
  readonly reads: number;
}

/** This one. */
export const THIS_RELEASE: Release = { release: manifest.version, reads: NEWEST_FORM };

export interface ReleaseAtWork extends Release {
  /** Milliseconds since 1970. */
  readonly seen: number;
  /** Whether one of its processes may still be at work. */
  readonly atWork: boolean;
}

export interface StoredForms {
  readonly inForce: number;
  /** Milliseconds since 1970, and the release that activated it; neither of a deployment that is older than this record. */
  readonly since?: number;
  readonly by?: string;
  /** The newest that this release reads. */
  readonly newest: number;
  readonly releases: readonly ReleaseAtWork[];
}

/** What is stored is newer than what this release reads. Nothing was read beyond that, and nothing changed. */
export class FormFault extends Fault {
  readonly form: number;
  /** The release that brought the form into force here. */
  readonly by: string;

  constructor(form: number, by: string, { release, reads }: Release) {
    // another process, of a newer release, may answer the same call
    super(
      'configuration',
      `the deployment is in stored form ${form}, which release ${by} has activated; this is release ${release}, which reads up to form ${reads}: run ${by} or a later one (docs/upgrades.md)`,
      { retryable: true },
    );
    this.form = form;
    this.by = by;
  }
}

/**
 * Which form this process writes, and which releases work on the deployment beside it. Looked at when the stores are opened,
 * and before a change if the last look is older than 30 s: an activated form comes to every process within that time, and a
 * release that cannot read it refuses to start, and changes nothing from then on.
 */
export class StoredForm {
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #own: Release;
  readonly #held: HeldForm;
  #look: { readonly at: number; readonly done: Promise<void> } | undefined;

  /** `ledger` is the one below the guard. */
  constructor(ledger: Ledger, now: () => number, own: Release = THIS_RELEASE) {
    this.#ledger = ledger;
    this.#now = now;
    this.#own = own;
    this.#held = holdForm(FIRST_FORM);
  }

  /** Throws a FormFault where what is stored is too new for this release. Writes nothing. */
  async requireKnown(): Promise<void> {
    await this.#read();
  }

  /** As `requireKnown`, at most every 30 s, and says that this release is at work; for a process that is about to write. */
  async requireKnownAtWork(): Promise<void> {
    const at = this.#now();
    if (this.#look === undefined || Math.abs(at - this.#look.at) >= LOOK_MS)
      this.#look = { at, done: this.say() };
    try {
      await this.#look.done;
    } catch (error) {
      this.#look = undefined;
      throw error;
    }
  }

  /** As `requireKnown`, and says that this release is at work, unless it was said a moment ago. */
  async say(): Promise<void> {
    const items = await this.#read();
    const key = ledgerKeys.release(this.#own.release);
    const item = items.find(({ sort }) => sort === key.sort);
    const said = item && releaseRecord.from(item);
    const seen = this.#now();
    const isFresh = said !== undefined && said.reads === this.#own.reads && seen - said.seen < SAID_MS;
    if (isFresh) return;
    // whoever was faster has said the same
    await this.#ledger.write({
      put: key,
      attributes: releaseRecord.to({ reads: this.#own.reads, seen }),
      when: asRead(item),
    });
  }

  /** Before anything else is stored in a new deployment: it begins with the newest form. May be repeated. */
  async begin(): Promise<void> {
    const { release: by, reads: form } = this.#own;
    await changeItem(this.#ledger, ledgerKeys.formInForce, (item) =>
      item === undefined
        ? becomes(formRecord.to({ form, since: this.#now(), by }), undefined)
        : unchanged(undefined),
    );
    await this.#read();
  }

  async forms(): Promise<StoredForms> {
    const items = await this.#items();
    const { form, ...more } = formOf(items) ?? { form: FIRST_FORM };
    const at = this.#now();
    const releases = items.flatMap((item) => {
      if (!item.sort.startsWith(RELEASE)) return [];
      const { reads, seen } = releaseRecord.from(item);
      return [
        { release: item.sort.slice(RELEASE.length), reads, seen, atWork: at - seen < SILENT_MS } as const,
      ];
    });
    return { inForce: form, ...present(more), newest: this.#own.reads, releases };
  }

  /**
   * Brings the newest form of this release into force, once every process can read it; there is no way back. May be repeated.
   * Returns the form, and the one that was in force before.
   */
  async activate(actor: Actor): Promise<{ readonly form: number; readonly before: number }> {
    const { release: by, reads: form } = this.#own;
    const before = await changeItems(this.#ledger, async () => {
      const { inForce, releases } = await this.forms();
      if (inForce > form) await this.requireKnown();
      if (inForce === form) return unchanged(inForce);
      for (const other of releases) if (other.atWork && other.reads < form) throw this.#stillAtWork(other);
      const item = await this.#ledger.get(ledgerKeys.formInForce);
      const since = this.#now();
      const about = { form, release: by };
      return writes(
        [
          { put: ledgerKeys.formInForce, attributes: formRecord.to({ form, since, by }), when: asRead(item) },
          auditWrite({ event: 'form.activated', by: actor, about }, `form-${form}`, since),
        ],
        inForce,
      );
    });
    await this.#read();
    return { form, before };
  }

  /** This process has the deployment open no more. */
  close(): void {
    this.#held.release();
  }

  #stillAtWork({ release, reads, seen }: ReleaseAtWork): Fault {
    const ago = Math.max(0, Math.round((this.#now() - seen) / 1000));
    return new Fault(
      'configuration',
      `release ${release}, which reads up to form ${reads}, was at work ${ago} s ago: end its processes (smdpf stop --release ${release}; on AWS send all traffic to the new version), wait ${SILENT_MS / 60_000} minutes, and run smdpf upgrade activate again`,
      { retryable: true },
    );
  }

  async #read(): Promise<readonly Item[]> {
    const items = await this.#items();
    const record = formOf(items);
    if (record !== undefined && record.form > this.#own.reads)
      throw new FormFault(record.form, record.by, this.#own);
    this.#held.raise(record?.form ?? FIRST_FORM);
    return items;
  }

  #items(): Promise<readonly Item[]> {
    return scanAll(this.#ledger, partitions.forms);
  }
}

function formOf(items: readonly Item[]) {
  const item = items.find(({ sort }) => sort === ledgerKeys.formInForce.sort);
  return item && formRecord.from(item);
}
