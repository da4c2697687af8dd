import { randomBytes } from 'node:crypto';
import { utf8 } from '../../codec/bytes.ts';
import { mapConcurrently } from '../../concurrency.ts';
import { openVault } from '../../vault/open.ts';
import type { ObjectRef, Vault } from '../../vault/vault.ts';
import type { AuditHead } from '../api/admin.ts';
import type { KnownHead } from '../audit/known-heads.ts';
import type { Context } from '../context.ts';
import { deliveryPublicKeys } from '../keys/delivery-keys.ts';
import { signedByDelivery } from '../keys/signed.ts';
import { auditHeadsOf } from '../records/object-names.ts';
import { isObject } from '../records/schema.ts';
import { openedJws, signedByOneOf } from './jws.ts';

/** Statements that are read at once. */
const CONCURRENCY = 16;

export const AUDIT_HEAD_TYP = 'smdpf-audit-head+jws';

/** What an end of the audit log, kept outside the deployment, says. */
export interface HeadStatement extends AuditHead {
  readonly deployment: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What the outside store has: heads that count, and names of objects that no delivery key of this server has signed. */
export interface OutsideHeads {
  readonly heads: readonly KnownHead[];
  readonly unknown: readonly string[];
}

/**
 * Ends of the audit log outside the deployment (I8): where ledger, vault and PPK vault are all put back to one earlier moment, they
 * agree with each other, and only what is kept by somebody else tells. Each is a compact JWS by the delivery key, which can be
 * kept in a store that the configuration names (`auditAnchor`, `file:DIR` or `s3://BUCKET`), in a mailbox or on paper.
 */
export class OutsideAnchor {
  readonly #context: Context;
  /** Undefined where none is configured. */
  readonly uri: string | undefined;

  constructor(context: Context, uri: string | undefined) {
    this.#context = context;
    this.uri = uri;
  }

  /** The statement about this head, to be kept elsewhere. */
  sign(head: AuditHead): Promise<string> {
    const { settings, now } = this.#context;
    const { sequence, hash } = head;
    const statement: HeadStatement = {
      deployment: settings.deployment,
      sequence,
      hash,
      at: new Date(now()).toISOString(),
    };
    return signedByDelivery(this.#context, AUDIT_HEAD_TYP, statement);
  }

  /** Keeps the statement in the configured store, locked; one that is there already stays. False where nothing is to be kept. */
  async keep(head: AuditHead): Promise<boolean> {
    if (this.uri === undefined || head.sequence === 0) return false;
    return await this.#with(this.uri, async (vault) => {
      const name = this.#name(head.sequence);
      if ((await vault.head(name)) !== undefined) return false;
      await vault.put(name, utf8(await this.sign(head)), { lock: true });
      return true;
    });
  }

  /** What the configured store has; undefined where none is configured. */
  async read(): Promise<OutsideHeads | undefined> {
    if (this.uri === undefined) return undefined;
    return await this.#with(this.uri, async (vault) => {
      const refs: ObjectRef[] = [];
      for await (const ref of vault.list(this.#folder)) refs.push(ref);
      // one an hour, for years
      const statements = await mapConcurrently(refs, CONCURRENCY, async (ref) => ({
        name: ref.name,
        jws: Buffer.from(await vault.get(ref)).toString('latin1'),
      }));
      return await this.known(statements);
    });
  }

  /** Statements from wherever they were kept; `name` is what a person knows one by. */
  async known(statements: readonly { readonly name: string; readonly jws: string }[]): Promise<OutsideHeads> {
    const keys = await deliveryPublicKeys(this.#context);
    const heads: KnownHead[] = [];
    const unknown: string[] = [];
    for (const { name, jws } of statements) {
      const opened = openedJws(jws);
      const head = opened?.typ === AUDIT_HEAD_TYP ? headOf(opened.payload) : undefined;
      const own = head?.deployment === this.#context.settings.deployment;
      if (head === undefined || !own || signedByOneOf(jws, keys) === undefined) unknown.push(name);
      else heads.push({ sequence: head.sequence, hash: head.hash, by: `the statement ${name}` });
    }
    return { heads, unknown };
  }

  get #folder(): string {
    return auditHeadsOf(this.#context.settings.deployment);
  }

  #name(sequence: number): string {
    return `${this.#folder}${String(sequence).padStart(10, '0')}`;
  }

  /** Opened for each use: a share or a bucket of somebody else may come and go without the server. */
  async #with<Answer>(uri: string, work: (vault: Vault) => Promise<Answer>): Promise<Answer> {
    const vault = await openVault(uri, { baseUrl: 'https://localhost', transferSecret: randomBytes(32) });
    try {
      return await work(vault);
    } finally {
      await vault.close();
    }
  }
}

function headOf(payload: unknown): HeadStatement | undefined {
  if (!isObject(payload)) return undefined;
  const { deployment, sequence, hash, at } = payload;
  return typeof deployment === 'string' &&
    typeof sequence === 'number' &&
    typeof hash === 'string' &&
    typeof at === 'string'
    ? { deployment, sequence, hash, at }
    : undefined;
}
