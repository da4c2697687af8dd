import { randomBytes } from 'node:crypto';
import { Fault, refuse } from '../../errors.ts';
import { asRead, becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { Actor, Person } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import {
  type ApprovalRecord,
  approvalRecord,
  type DualControlPolicy,
  dualControlPolicy,
} from '../records/dual-control.ts';
import { APPROVAL, ledgerKeys, partitions } from '../records/keys.ts';
import type { Guarded } from './actions.ts';
import { Administrators, holds, type Identity, signedBy } from './administrators.ts';
import { APPROVAL_TYP, type SignedDecision } from './signed-decision.ts';

/** Hours that an approval holds unless the policy says otherwise. */
export const HOURS = 24;
const HOUR_MS = 60 * 60_000;
const NO_POLICY: DualControlPolicy = { actions: [], hours: HOURS };

export type KnownApproval = ApprovalRecord & { readonly id: string };

/**
 * Two persons for what one must not do alone (SAS-SM: split of duties). Whoever wants a guarded action asks for it under their own
 * key; another administrator agrees under theirs; then either of the two does it, once, and its line in the audit log names both.
 * A request is for one action on one thing, has a random name, is signed over the deployment, and ends after some hours: neither
 * a signature of another request nor one that was used serves again.
 */
export class DualControl {
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #deployment: string;
  readonly administrators: Administrators;

  constructor(ledger: Ledger, now: () => number, deployment: string) {
    this.#ledger = ledger;
    this.#now = now;
    this.#deployment = deployment;
    this.administrators = new Administrators(ledger, now);
  }

  policy(): Promise<DualControlPolicy> {
    return policyOf(this.#ledger);
  }

  /** Refuses a policy that nobody could fulfil. */
  async setPolicy(policy: DualControlPolicy, by: Actor): Promise<void> {
    const needed = policy.actions.length > 0 ? 2 : 0;
    const there = (await this.administrators.active()).length;
    if (there < needed)
      refuse(
        'requesterNotAllowed',
        `dual control needs two administrators, and ${there} are registered: smdpf administrator add`,
      );
    if (policy.hours < 1) refuse('requesterNotAllowed', 'an approval holds for an hour at least');
    const before = await this.#ledger.get(ledgerKeys.dualControlPolicy);
    const about = { actions: policy.actions.join(' ') || 'none', hours: policy.hours };
    await this.#ledger.transact([
      { put: ledgerKeys.dualControlPolicy, attributes: dualControlPolicy.to(policy), when: asRead(before) },
      auditWrite(
        { event: 'dualControl.set', by, about },
        `dual-control-${(before?.revision ?? 0) + 1}`,
        this.#now(),
      ),
    ]);
  }

  /** All requests, those that are over too. */
  async approvals(): Promise<readonly KnownApproval[]> {
    const items = await scanAll(this.#ledger, partitions.dualControl, { prefix: APPROVAL });
    return items.map((item) => ({ id: item.sort.slice(APPROVAL.length), ...approvalRecord.from(item) }));
  }

  /**
   * Begins the action where the policy lets it: as `by` where it is not guarded, else as `by` with the name of the second
   * administrator. Where nobody has agreed yet it leaves a request, and refuses (1.1/1.2) with its name.
   */
  async begin(guarded: Guarded, by: Person, identity: Identity | undefined): Promise<Person> {
    if (!isGuarded(await this.policy(), guarded)) return by;
    if (identity === undefined)
      return refuse(
        'requesterNotAllowed',
        `${guarded.action} is under dual control: act under your own key (SMDPF_IDENTITY names it)`,
      );
    const own = (await this.approvals()).filter((one) => this.#isFor(one, guarded));
    const begun = own.find(({ state, begunBy }) => state === 'begun' && begunBy === identity.name);
    const ready = begun ?? own.find((one) => one.state === 'approved' && isOfPair(one, identity.name));
    if (ready !== undefined) return await this.#take(ready, by, identity);
    const waiting = own.find(({ state }) => state === 'waiting');
    const id = waiting?.id ?? (await this.#request(guarded, by, identity));
    return refuse(
      'requesterNotAllowed',
      `${guarded.action} waits for a second administrator, who runs: smdpf approvals approve ${id}; then run this command again`,
      { subjectIdentifier: id },
    );
  }

  /** The action is done: its approval serves nothing any more. */
  async finish({ approval }: Person): Promise<void> {
    if (approval === undefined) return;
    await this.#change(approval, (record) =>
      record.state === 'begun' ? { ...record, state: 'done' } : undefined,
    );
  }

  /** Another administrator agrees. */
  async approve(id: string, by: Person, { name, key }: Identity): Promise<KnownApproval> {
    const known = await this.#known(id);
    this.#requireOther(known, name);
    const approval = await this.#signed(key, { ...known, id }, name, 'approve');
    return await this.#agreed(known, { name, jws: approval }, by);
  }

  /**
   * The same by what a person has signed elsewhere (signed-decision.ts), and whoever has sent it: their login is no second person
   * either.
   */
  async decide({ claims, jws }: SignedDecision, by: Person, login: string): Promise<KnownApproval> {
    const { request: id, decision, name, action, subject } = claims;
    if (decision === 'request') {
      await this.#requireNew({ action, subject }, id, jws);
      await this.#record({ id, action, subject }, { name, jws, login }, by);
      return await this.#known(id);
    }
    const known = await this.#known(id);
    requireFor(known, claims);
    if (decision === 'withdraw') {
      await this.withdraw(id, by, login);
      return await this.#known(id);
    }
    if (decision !== 'approve')
      refuse('requesterNotAllowed', 'whoever begins says so to the function that does it');
    this.#requireOther(known, name);
    if (known.requestedLogin === login)
      refuse('requesterNotAllowed', `${login} asked for this under another key: another person has to agree`);
    return await this.#agreed(known, { name, jws, login }, by);
  }

  /** As `begin`, by what one of the two has signed elsewhere for this very request. */
  async beginSigned({ claims }: SignedDecision, guarded: Guarded, by: Person): Promise<Person> {
    const { request: id, decision, name } = claims;
    const known = await this.#known(id);
    requireFor(known, claims);
    requireFor(known, guarded);
    if (decision !== 'begin')
      refuse('requesterNotAllowed', `what was signed is to ${decision}, not to begin`);
    const state = stateOf(known, this.#now());
    const isOurs = state === 'begun' ? known.begunBy === name : state === 'approved' && isOfPair(known, name);
    if (!isOurs) refuse('requesterNotAllowed', `request ${id} is ${state}, and ${name} cannot begin it`);
    return await this.#take(known, by, { name });
  }

  /** A request that is there already by the very same words is the same one; any other is named. */
  async #requireNew(guarded: Guarded, id: string, jws: string): Promise<void> {
    if (!isGuarded(await this.policy(), guarded))
      refuse('requesterNotAllowed', `${guarded.action} takes one person here: nobody has to be asked`);
    const there = (await this.approvals()).filter((one) => one.id === id || this.#isFor(one, guarded));
    const other = there.find(({ id: of, request, state }) =>
      of === id ? request !== jws : state === 'waiting' || state === 'approved',
    );
    if (other !== undefined)
      refuse(
        'requesterNotAllowed',
        `request ${other.id} is there already, and ${stateOf(other, this.#now())}`,
        {
          subjectIdentifier: other.id,
        },
      );
  }

  #requireOther(known: KnownApproval, name: string): void {
    const state = stateOf(known, this.#now());
    if (state !== 'waiting')
      refuse('requesterNotAllowed', `request ${known.id} waits for nobody: it is ${state}`);
    if (known.requestedBy === name)
      refuse('requesterNotAllowed', `${name} asked for this: another administrator has to agree`);
  }

  async #agreed(known: KnownApproval, { name, jws, login }: Signer, by: Person): Promise<KnownApproval> {
    const { id, action, subject } = known;
    const approved = {
      state: 'approved',
      approvedBy: name,
      approval: jws,
      approvedAt: this.#now(),
    } as const;
    await this.#change(
      id,
      (record) => {
        if (record.state !== 'waiting') refuse('requesterNotAllowed', `request ${id} is ${record.state}`);
        return { ...record, ...approved };
      },
      { event: 'approval.given', by, about: { request: id, action, subject, login } },
    );
    return { ...known, ...approved, id };
  }

  /** Nobody is to agree, or to do it, any more. */
  async withdraw(id: string, by: Person, login?: string): Promise<void> {
    const { action, subject } = await this.#known(id);
    await this.#change(
      id,
      (record) => (record.state === 'done' ? undefined : { ...record, state: 'withdrawn' }),
      { event: 'approval.withdrawn', by, about: { request: id, action, subject, login } },
    );
  }

  async #request({ action, subject }: Guarded, by: Person, { name, key }: Identity): Promise<string> {
    const id = randomBytes(16).toString('hex');
    const jws = await this.#signed(key, { id, action, subject }, name, 'request');
    await this.#record({ id, action, subject }, { name, jws }, by);
    return id;
  }

  async #record({ id, action, subject }: Guarded & { readonly id: string }, signer: Signer, by: Person) {
    const { name, jws, login } = signer;
    const at = this.#now();
    const { hours } = await this.policy();
    const record: ApprovalRecord = {
      action,
      subject,
      state: 'waiting',
      requestedBy: name,
      request: jws,
      requestedAt: at,
      ...present({ requestedLogin: login }),
      endsAt: at + hours * HOUR_MS,
    };
    const line = { event: 'approval.requested', by, about: { request: id, action, subject, login } } as const;
    await changeItem(this.#ledger, ledgerKeys.approval(id), (item) =>
      item === undefined
        ? becomes(approvalRecord.to(record), undefined, [auditWrite(line, `approval-${id}`, at)])
        : unchanged(),
    );
  }

  async #take(ready: KnownApproval, by: Person, { name }: Pick<Identity, 'name'>): Promise<Person> {
    await this.#requireSigned(ready);
    await this.#change(ready.id, (record) => {
      if (record.state === 'begun' && record.begunBy === name) return undefined;
      if (record.state !== 'approved')
        refuse('requesterNotAllowed', `request ${ready.id} is ${record.state}: it serves once`);
      return { ...record, state: 'begun', begunBy: name };
    });
    const other = ready.requestedBy === name ? ready.approvedBy : ready.requestedBy;
    return { ...by, approvedBy: other, approval: ready.id };
  }

  /** What the ledger says is not enough: both persons, who are two and registered, have signed for this very request. */
  async #requireSigned({ id, action, subject, requestedBy, request, approvedBy, approval }: KnownApproval) {
    const active = await this.administrators.active();
    const isSigned = (name: string | undefined, jws: string | undefined, decision: string) => {
      const person = active.find((one) => one.name === name);
      if (person === undefined || jws === undefined || !holds(jws, person.publicKey)) return false;
      const claims: unknown = JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString('utf8'));
      const wanted = { deployment: this.#deployment, request: id, action, subject, decision, name };
      return Object.entries(wanted).every(
        ([member, value]) => Reflect.get(claims as object, member) === value,
      );
    };
    const [one, other] = [requestedBy, approvedBy].map((name) => active.find((of) => of.name === name));
    const isOneRole = one?.awsRole !== undefined && one.awsRole === other?.awsRole;
    const two = requestedBy !== approvedBy && !isOneRole;
    if (!two || !isSigned(requestedBy, request, 'request') || !isSigned(approvedBy, approval, 'approve'))
      refuse(
        'requesterNotAllowed',
        `request ${id} is not signed by two administrators that are registered now`,
      );
  }

  #signed(
    key: Identity['key'],
    { id, action, subject }: Guarded & { readonly id: string },
    name: string,
    decision: 'request' | 'approve',
  ): Promise<string> {
    const at = new Date(this.#now()).toISOString();
    const payload = { deployment: this.#deployment, request: id, action, subject, decision, name, at };
    return signedBy(key, APPROVAL_TYP, payload);
  }

  #isFor(one: ApprovalRecord, { action, subject }: Guarded): boolean {
    return one.action === action && one.subject === subject && one.endsAt > this.#now();
  }

  async #known(id: string): Promise<KnownApproval> {
    const item = await this.#ledger.get(ledgerKeys.approval(id));
    if (item === undefined) refuse('requesterNotAllowed', `there is no request ${id}: smdpf approvals list`);
    return { id, ...approvalRecord.from(item) };
  }

  async #change(
    id: string,
    next: (record: ApprovalRecord) => ApprovalRecord | undefined,
    line?: Parameters<typeof auditWrite<'approval.given' | 'approval.withdrawn', ApprovalAbout>>[0],
  ): Promise<void> {
    await changeItem(this.#ledger, ledgerKeys.approval(id), (item) => {
      if (item === undefined) throw new Fault('invariant', `request ${id} has gone`);
      const record = next(approvalRecord.from(item));
      if (record === undefined) return unchanged();
      const lines = line === undefined ? [] : [auditWrite(line, `${line.event}-${id}`, this.#now())];
      return becomes(approvalRecord.to(record), undefined, lines);
    });
  }
}

interface ApprovalAbout {
  readonly request: string;
  readonly action: ApprovalRecord['action'];
  readonly subject: string;
  /** Of the console, where it came through one. */
  readonly login?: string | undefined;
}

/** Who has signed, what, and under which login of the console it came. */
interface Signer {
  readonly name: string;
  readonly jws: string;
  readonly login?: string;
}

/** Of a request whose time is over: `over`. */
export const stateOf = ({ state, endsAt }: ApprovalRecord, atMs: number) =>
  endsAt <= atMs && (state === 'waiting' || state === 'approved') ? 'over' : state;

const isOfPair = ({ requestedBy, approvedBy }: ApprovalRecord, name: string) =>
  requestedBy === name || approvedBy === name;

/** What was signed is for this request and nothing else. */
function requireFor({ id, ...known }: KnownApproval, { action, subject }: Guarded): void {
  if (known.action !== action || known.subject !== subject)
    refuse(
      'requesterNotAllowed',
      `request ${id} is to do ${known.action} of ${known.subject}, and nothing else`,
    );
}

/** As soon as anything is guarded, so is who may agree to it. */
const isGuarded = ({ actions }: DualControlPolicy, { action }: Guarded) =>
  actions.includes(action) || (action === 'administrators' && actions.length > 0);

async function policyOf(ledger: Ledger): Promise<DualControlPolicy> {
  const item = await ledger.get(ledgerKeys.dualControlPolicy);
  return item === undefined ? NO_POLICY : dualControlPolicy.from(item);
}

/**
 * Where a guarded change is written: refuses a person who has not begun it. What the server does by itself, and parties
 * through their interface, have no door to these actions. `subject` as in `begin`.
 */
export async function requireBegun(ledger: Ledger, guarded: Guarded, by: Actor): Promise<void> {
  if (typeof by === 'string' || !isGuarded(await policyOf(ledger), guarded)) return;
  const item = by.approval === undefined ? undefined : await ledger.get(ledgerKeys.approval(by.approval));
  const record = item && approvalRecord.from(item);
  const { action, subject } = guarded;
  if (
    record?.state === 'begun' &&
    record.action === action &&
    record.subject === subject &&
    record.begunBy === by.person
  )
    return;
  refuse('requesterNotAllowed', `${action} is under dual control, and nobody has agreed to it`);
}
