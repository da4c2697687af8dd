import { Fault } from '../../errors.ts';
import { formatKeyUri, parseKeyUri } from '../../keys/uri.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Item, Ledger } from '../../ledger/ledger.ts';
import type { Actor } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import { requireBegun } from '../dual-control/dual-control.ts';
import { type AssignedRole, type KeyAssignment, keyAssignment } from '../records/custody.ts';
import { ledgerKeys } from '../records/keys.ts';

/** Keys are compared by their URIs. */
const canonical = (uri: string) => formatKeyUri(parseKeyUri(uri));

/** As the configuration names them; without an intake key Operators cannot encrypt rows to this server, without a long-term key nothing is signed twice. */
export interface ConfiguredKeys {
  readonly wrapping: string;
  readonly delivery: string;
  readonly intake?: string;
  readonly longTerm?: string;
}

/**
 * Which key wraps, which signs manifests, which opens rows, and which did before. The configuration names the first ones; from
 * the first rotation on the ledger does, so that all servers of a deployment change over at once and without a
 * restart. Nothing is cached.
 */
export class KeyAssignments {
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #configured: Partial<Record<AssignedRole, string>>;

  constructor(ledger: Ledger, now: () => number, configured: ConfiguredKeys) {
    this.#ledger = ledger;
    this.#now = now;
    const { wrapping, delivery, intake, longTerm } = configured;
    this.#configured = {
      wrapping: canonical(wrapping),
      delivery: canonical(delivery),
      ...(intake !== undefined && { intake: canonical(intake) }),
      ...(longTerm !== undefined && { longTerm: canonical(longTerm) }),
    };
  }

  async current(role: AssignedRole): Promise<string> {
    return (await this.get(role)).uri;
  }

  async get(role: AssignedRole): Promise<KeyAssignment> {
    const assignment = await this.find(role);
    if (assignment === undefined) throw new Fault('configuration', `no key is in use for ${role}`);
    return assignment;
  }

  /** Undefined where neither configuration nor ledger names a key for the role, which only intake and longTerm may lack. */
  async find(role: AssignedRole): Promise<KeyAssignment | undefined> {
    return this.#of(role, await this.#ledger.get(ledgerKeys.keyAssignment(role)));
  }

  /** The role in which a key was in use before another took its place. */
  async formerRole(keyUri: string): Promise<AssignedRole | undefined> {
    const uri = canonical(keyUri);
    for (const role of ['wrapping', 'delivery', 'intake', 'longTerm'] as const) {
      const assignment = await this.find(role);
      if (assignment?.former.some((one) => one.uri === uri)) return role;
    }
    return undefined;
  }

  /** The key becomes the one in use; the caller has made sure that it works. Changes nothing if it is already. */
  async assign(role: AssignedRole, keyUri: string, by: Actor): Promise<void> {
    const uri = canonical(keyUri);
    await requireBegun(this.#ledger, { action: 'key.generate', subject: role }, by);
    await this.#change(role, `key.${role}.assigned`, uri, by, (assignment) => {
      if (assignment === undefined) return { uri, since: this.#now(), former: [] };
      const { uri: before, former } = assignment;
      if (uri === before) return undefined;
      if (former.some((one) => one.uri === uri))
        throw new Fault('configuration', 'the key was in use before; a rotation needs a new one');
      const replacedAt = this.#now();
      return { uri, since: replacedAt, former: [...former, { uri: before, replacedAt }] };
    });
  }

  /** The former key is needed no more, which the caller has made sure of. */
  async retire(role: AssignedRole, keyUri: string, by: Actor): Promise<void> {
    const uri = canonical(keyUri);
    await requireBegun(this.#ledger, { action: 'key.retire', subject: uri }, by);
    await this.#change(role, `key.${role}.retired`, uri, by, (assignment) => {
      const known = assignment?.former.find((one) => one.uri === uri);
      if (assignment === undefined || known === undefined)
        throw new Fault('configuration', 'only a key that another has replaced can be retired');
      if (known.retiredAt !== undefined) return undefined;
      const retired = { ...known, retiredAt: this.#now() };
      return { ...assignment, former: assignment.former.map((one) => (one === known ? retired : one)) };
    });
  }

  /**
   * After a restore: the key was retired, of which this ledger may know as little as of its assignment. The one in use stays:
   * an administrator has to replace it first. Changes nothing if it is retired already.
   */
  async retireAgain(role: AssignedRole, keyUri: string, by: Actor): Promise<void> {
    const uri = canonical(keyUri);
    await this.#change(role, `key.${role}.retired`, uri, by, (assignment) => {
      if (assignment === undefined || assignment.uri === uri) return undefined;
      const known = assignment.former.find((one) => one.uri === uri);
      if (known?.retiredAt !== undefined) return undefined;
      const retiredAt = this.#now();
      const others = assignment.former.filter((one) => one !== known);
      return {
        ...assignment,
        former: [...others, { uri, replacedAt: known?.replacedAt ?? retiredAt, retiredAt }],
      };
    });
  }

  async #change(
    role: AssignedRole,
    event: `key.${AssignedRole}.${'assigned' | 'retired'}`,
    uri: string,
    by: Actor,
    change: (assignment: KeyAssignment | undefined) => KeyAssignment | undefined,
  ): Promise<void> {
    await changeItem(this.#ledger, ledgerKeys.keyAssignment(role), (item) => {
      const next = change(this.#of(role, item));
      if (next === undefined) return unchanged();
      const id = `key-${role}-${(item?.revision ?? 0) + 1}`;
      return becomes(keyAssignment.to(next), undefined, [
        auditWrite({ event, by, about: { key: uri } }, id, this.#now()),
      ]);
    });
  }

  #of(role: AssignedRole, item: Item | undefined): KeyAssignment | undefined {
    if (item !== undefined) return keyAssignment.from(item);
    const uri = this.#configured[role];
    return uri === undefined ? undefined : { uri, since: 0, former: [] };
  }
}
