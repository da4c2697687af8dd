import { Fault } from '../errors.ts';
import { formatKeyUri, parseKeyUri } from '../keys/uri.ts';
import type { Item, Ledger } from '../ledger/ledger.ts';
import { auditWrite } from './audit.ts';
import { type AssignedRole, type KeyAssignment, keyAssignment } from './records/key.ts';
import { ledgerKeys } from './records/keys.ts';

/** Keys are compared by their URIs. */
const canonical = (uri: string) => formatKeyUri(parseKeyUri(uri));

/**
 * Which key wraps and which key signs manifests, and which did before. The configuration names the first ones; from
 * the first rotation on the ledger does, so that all servers of a deployment change over at once and without a
 * restart. Nothing is cached.
 */
export class KeyAssignments {
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #configured: Readonly<Record<AssignedRole, string>>;

  constructor(ledger: Ledger, now: () => number, configured: Readonly<Record<AssignedRole, string>>) {
    this.#ledger = ledger;
    this.#now = now;
    this.#configured = { wrapping: canonical(configured.wrapping), delivery: canonical(configured.delivery) };
  }

  async current(role: AssignedRole): Promise<string> {
    return (await this.get(role)).uri;
  }

  async get(role: AssignedRole): Promise<KeyAssignment> {
    return this.#of(role, await this.#ledger.get(ledgerKeys.keyAssignment(role)));
  }

  /** The key becomes the one in use; the caller has made sure that it works. Changes nothing if it is already. */
  async assign(role: AssignedRole, keyUri: string, by: string): Promise<void> {
    const uri = canonical(keyUri);
    await this.#change(role, `key.${role}.assigned`, uri, by, ({ uri: before, former }) => {
      if (uri === before) return undefined;
      if (former.some((one) => one.uri === uri))
        throw new Fault('configuration', 'the key was in use before; a rotation needs a new one');
      const replacedAt = this.#now();
      return { uri, since: replacedAt, former: [...former, { uri: before, replacedAt }] };
    });
  }

  /** The former key is needed no more, which the caller has made sure of. */
  async retire(role: AssignedRole, keyUri: string, by: string): Promise<void> {
    const uri = canonical(keyUri);
    await this.#change(role, `key.${role}.retired`, uri, by, (assignment) => {
      const known = assignment.former.find((one) => one.uri === uri);
      if (known === undefined)
        throw new Fault('configuration', 'only a key that another has replaced can be retired');
      if (known.retiredAt !== undefined) return undefined;
      const retired = { ...known, retiredAt: this.#now() };
      return { ...assignment, former: assignment.former.map((one) => (one === known ? retired : one)) };
    });
  }

  async #change(
    role: AssignedRole,
    event: string,
    uri: string,
    by: string,
    change: (assignment: KeyAssignment) => KeyAssignment | undefined,
  ): Promise<void> {
    for (;;) {
      const item = await this.#ledger.get(ledgerKeys.keyAssignment(role));
      const next = change(this.#of(role, item));
      if (next === undefined) return;
      const at = this.#now();
      const { done } = await this.#ledger.transact([
        {
          put: ledgerKeys.keyAssignment(role),
          attributes: keyAssignment.to(next),
          when: item === undefined ? 'absent' : { revision: item.revision },
        },
        auditWrite({ event, by, about: { key: uri } }, `key-${role}-${(item?.revision ?? 0) + 1}`, at),
      ]);
      if (done) return;
    }
  }

  #of(role: AssignedRole, item: Item | undefined): KeyAssignment {
    return item === undefined
      ? { uri: this.#configured[role], since: 0, former: [] }
      : keyAssignment.from(item);
  }
}
