/** One Operator's SM-DPf on AWS: what differs between Operators, and nothing else. */
export interface OperatorConfig {
  /** Short name in lower-case letters, digits and hyphens: the stack and its resources are called after it. */
  readonly name: string;
  /**
   * Names this deployment for ever: job and transaction IDs follow from it, so it never changes, not even with the
   * name or the region.
   */
  readonly deployment: string;
  readonly env?: { readonly account: string; readonly region: string };
  readonly domains: {
    /** Where Operators, EUMs and device manufacturers call, by mutual TLS. */
    readonly parties: DomainConfig & {
      /** PEM file of the CAs whose client certificates TLS lets in; who a party is says the register. */
      readonly truststore: string;
      /** ACM certificate that proves the domain is ours, where certificateArn is imported or from a private CA. */
      readonly ownershipCertificateArn?: string;
    };
    /** Where devices in the field call ES9+, by server TLS; the notificationAddress of profiles. */
    readonly field: DomainConfig;
  };
  /** ARN of the role that administers trust and parties: it may have certificates requested for the signing keys. */
  readonly administratorRoleArn?: string;
  /** KMS binding keys to make, P-256: one for each CI that certifies us, by its name. */
  readonly bindingKeys: readonly string[];
  /**
   * KMS keys to make beside the first of their role, by a name each: `smdpf keys rotate` takes one into use. A name
   * goes only once its key is retired.
   */
  readonly furtherKeys?: Partial<Readonly<Record<'wrapping' | 'delivery' | 'intake', readonly string[]>>>;
  readonly retention: {
    /** Days for which commit records, manifests and heads of the audit chain cannot be deleted by anybody. */
    readonly lockDays: number;
    /** Days after which uploads and task lists go. */
    readonly uploadDays: number;
    readonly logDays: number;
  };
  readonly quotas: {
    /** KMS ECC signatures a second that this stack may use of the account's quota. */
    readonly signsPerSecond: number;
    /** Part of them that jobs leave to requests that are answered at once. */
    readonly interactiveShare: number;
    /** Task Lambdas of one job at once. */
    readonly tasksAtOnce: number;
    /** Calls a second that the API takes of all parties. */
    readonly callsPerSecond: number;
    /** Calls that each party may make; left out, as shared/service/parties/parties.ts has them. */
    readonly callsOfParty?: { readonly perSecond: number; readonly burst: number };
  };
  readonly alarms: {
    /** Who is mailed; the topic can be subscribed to otherwise too. */
    readonly email?: string;
    /** Faults of ours within five minutes that raise an alarm. */
    readonly faults: number;
    /** Minutes that a callback may wait. */
    readonly callbackMinutes: number;
  };
  /** PEM of a CA that is trusted for the Operator's callback server besides the public ones. */
  readonly callbackCa?: string;
  /** Items of a chunk, profiles of a pack, and items of a report that is taken within the call; left out, as shared/service/context.ts has them. */
  readonly sizes?: { readonly chunk: number; readonly pack: number; readonly report?: number };
  /**
   * The ledger's table where it is not the stack's own: one that was restored from a backup and reconciled
   * (docs/runbook.md, "A ledger from a backup").
   */
  readonly ledgerTable?: string;
  /** Minutes between rounds that fetch revocation lists, 2 and more. */
  readonly crlFetchMinutes: number;
  /**
   * `aws`, or an emulator of it: default endpoints stay on, no custom domains, Object Lock and deletion protection,
   * and client certificates come in a header.
   */
  readonly target: 'aws' | 'emulator';
}

export interface DomainConfig {
  readonly name: string;
  /** ACM certificate of the domain, in the stack's region. */
  readonly certificateArn: string;
}

/** Throws on a configuration that would deploy something else than it says. */
export function checkConfig(config: OperatorConfig): OperatorConfig {
  const { name, deployment, bindingKeys, furtherKeys = {}, retention, quotas, domains } = config;
  const wrong: string[] = [];
  if (!/^[a-z][a-z0-9-]{1,24}$/.test(name)) wrong.push('name: 2 to 25 of a-z, 0-9 and -');
  if (!/^[\w.-]{1,64}$/.test(deployment)) wrong.push('deployment: 1 to 64 letters, digits, . _ -');
  if (bindingKeys.length === 0) wrong.push('bindingKeys: without one nothing can be bound');
  if (new Set(bindingKeys).size !== bindingKeys.length) wrong.push('bindingKeys: a name stands twice');
  for (const [role, names] of Object.entries(furtherKeys))
    if (new Set(names).size !== names.length || !names.every((one) => /^[a-z0-9-]{1,24}$/.test(one)))
      wrong.push(`furtherKeys.${role}: names of a-z, 0-9 and -, each once`);
  if (domains.parties.name === domains.field.name)
    wrong.push('domains: mutual TLS and field calls need two names');
  for (const [what, days] of Object.entries(retention))
    if (!Number.isInteger(days) || days < 1) wrong.push(`retention.${what}: whole days, 1 and more`);
  if (!Number.isInteger(config.crlFetchMinutes) || config.crlFetchMinutes < 2)
    wrong.push('crlFetchMinutes: whole minutes, 2 and more');
  const { perSecond = 1, burst = 1 } = quotas.callsOfParty ?? {};
  if (!(perSecond > 0 && burst >= 1))
    wrong.push('quotas.callsOfParty: more than none a second, burst 1 and more');
  if (quotas.tasksAtOnce < 1) wrong.push('quotas.tasksAtOnce: 1 and more');
  if (signsPerTask(config) < 1) wrong.push('quotas: more tasks at once than signatures a second');
  if (wrong.length > 0) throw new Error(`the configuration of ${name} is wrong:\n  ${wrong.join('\n  ')}`);
  return config;
}

/** Signatures a second that one task Lambda may ask KMS for, so that all at once stay within the quota. */
export function signsPerTask({ quotas }: Pick<OperatorConfig, 'quotas'>): number {
  return Math.floor((quotas.signsPerSecond * (1 - quotas.interactiveShare)) / quotas.tasksAtOnce);
}
