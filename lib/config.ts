/** Minutes that CodeDeploy knows for a tenth of the calls. */
export type CanaryMinutes = 5 | 10 | 15 | 30;

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
  /**
   * Left out until the stack stands. A table that is protected from deletion cannot be taken back where the creation of
   * a stack fails, and its name blocks the next attempt: `true`, and one more deployment, protects ledger and PPK vault.
   */
  readonly established?: boolean;
  /**
   * ARN of the role, in the stack's account, that administers trust and parties: it may have certificates requested for
   * the signing keys. It has to exist before the stack, since key policies name it.
   */
  readonly administratorRoleArn?: string;
  /**
   * Persons of dual control, two at least, each by a role of the stack's account that one person alone may assume: the stack makes
   * each a key to ask and to agree with, which no other role may use. `smdpf administrator add` registers them.
   */
  readonly administrators?: readonly { readonly name: string; readonly roleArn: string }[];
  /** KMS binding keys to make, P-256: one for each CI that certifies us, by its name. */
  readonly bindingKeys: readonly string[];
  /**
   * KMS keys to make beside the first of their role, by a name each: `smdpf keys rotate` takes one into use. A name
   * goes only once its key is retired.
   */
  /** Signs manifests and reports a second time, with an ML-DSA-65 key of KMS (docs/keys.md). */
  readonly longTermSignatures?: true;
  readonly furtherKeys?: Partial<Readonly<Record<'wrapping' | 'delivery' | 'intake', readonly string[]>>>;
  readonly retention: {
    /** Days for which commit records, manifests and heads of the audit chain cannot be deleted by anybody. */
    readonly lockDays: number;
    /** Days after which uploads and task lists go. */
    readonly uploadDays: number;
    /** One of the periods that CloudWatch Logs knows. */
    readonly logDays: number;
  };
  readonly quotas: {
    /** KMS ECC signatures a second that this stack may use of the account's quota. */
    readonly signsPerSecond: number;
    /** Part of them that jobs leave to requests that are answered at once. */
    readonly interactiveShare: number;
    /** Task Lambdas at once, of all jobs. */
    readonly tasksAtOnce: number;
    /** Calls a second that the API takes of all parties. */
    readonly callsPerSecond: number;
    /** Calls a second, and at once, that the API takes of the field, where nobody is authenticated. */
    readonly fieldCallsPerSecond: number;
    readonly fieldCallsAtOnce: number;
    /**
     * Concurrent executions of Lambda that the account may have (Service Quotas, L-B99A9384): 10 in a new account, 1,000
     * in others. Where it has room, tasks and the field get a part of their own, so that neither starves the parties.
     */
    readonly lambdaConcurrency: number;
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
    /** Minutes that a request, order, batch, report or end of an order may be under way; 360 unless given. */
    readonly workMinutes?: number;
    /** Fewer profiles in stock raise an alarm; none unless given. */
    readonly stock?: number;
    /** More profiles, eUICCs and results refused within an hour raise an alarm; none unless given. */
    readonly refused?: number;
  };
  /** Tags of every resource, beside `smdpf:operator`: such as a cost centre. */
  readonly tags?: Readonly<Record<string, string>>;
  /** What the account may cost in a month, in US dollars: `alarms.email` is told at 80 % of it, and when a forecast is above it. */
  readonly budget?: { readonly monthlyUsd: number };
  /** What the account asks of who deploys. */
  readonly account?: {
    /** ARN of the managed policy that bounds every role of the stack. */
    readonly permissionsBoundaryArn?: string;
    /** Qualifier of the account's bootstrap, where it is not the CDK's own. */
    readonly bootstrapQualifier?: string;
  };
  /**
   * A release takes a tenth of the calls for so many minutes before it takes all, and is rolled back where the server fails
   * more than `faults` calls or tasks in one of them (lib/canary.ts). Left out, a release takes all calls at once.
   */
  readonly canary?: { readonly minutes: CanaryMinutes; readonly faults: number };
  /**
   * Environments of Lambda that are kept ready for each function of a group (lib/provisioned.ts), loaded before there is a
   * call. They cost by the hour, whether anybody calls or not; left out, an environment starts with a call that finds none.
   */
  readonly provisionedConcurrency?: Partial<Readonly<Record<'justInTime' | 'reports' | 'field', number>>>;
  /** PEM of a CA that is trusted for the Operator's callback server besides the public ones. */
  readonly callbackCa?: string;
  /**
   * Host names, addresses and networks inside the network of the Lambdas to which callbacks and fetches of revocation
   * lists may lead; none unless given.
   */
  readonly internalDestinations?: readonly string[];
  /** Items of a chunk, profiles of a pack, and items of a report that is taken within the call; left out, as shared/service/context.ts has them. */
  readonly sizes?: { readonly chunk: number; readonly pack: number; readonly report?: number };
  /**
   * The ledger's table where it is not the stack's own: one that was restored from a backup and reconciled
   * (docs/runbook.md, "A ledger from a backup").
   */
  readonly ledgerTable?: string;
  /**
   * A bucket with Object Lock that is somebody else's, best in another account and region, for signed ends of the audit log: the
   * one thing that shows if all stores of the stack are put back together (docs/trust.md#audit-log).
   */
  readonly auditAnchor?: {
    readonly bucketArn: string;
    /** Of the bucket, where it is another than the stack's. */
    readonly region?: string;
    /** Days for which an end cannot be deleted by anybody. */
    readonly lockDays: number;
    /** KMS key of the bucket, where it has one of its own. */
    readonly keyArn?: string;
  };
  /** A clock to compare that of the hosts with: `sntp:HOST`, such as `sntp:time.aws.com`. */
  readonly timeSource?: string;
  /** Minutes between rounds that fetch revocation lists, 2 to a day's 1,440. */
  readonly crlFetchMinutes: number;
  /** The console for the Operator's people, behind their own login (docs/console.md); none unless given. */
  readonly console?: ConsoleConfig;
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

/** Every role that administers. */
export const administratorRoles = ({
  administratorRoleArn,
  administrators = [],
}: Pick<OperatorConfig, 'administratorRoleArn' | 'administrators'>): readonly string[] => [
  ...(administratorRoleArn === undefined ? [] : [administratorRoleArn]),
  ...administrators.map(({ roleArn }) => roleArn),
];

/** Where the console answers, and the Operator's login: an OIDC provider that knows it as a client without a secret, by PKCE. */
export interface ConsoleConfig extends DomainConfig {
  /** https. The redirect URI is `https://NAME/session/oidc/callback`. */
  readonly issuer: string;
  readonly clientId: string;
  /** Asked for beside `openid`; `email profile` unless given. */
  readonly scope?: string;
  /** Claim of the ID token that names the person in the audit log: `email` where it is verified, unless given. */
  readonly nameClaim?: string;
  /** Claim with the roles or groups of the person, and the values of it that may look, and change too. */
  readonly rolesClaim: string;
  readonly viewers: readonly string[];
  readonly administrators: readonly string[];
}

/** Signatures a second that one task Lambda may ask KMS for, so that all at once stay within the quota. */
export function signsPerTask({ quotas }: Pick<OperatorConfig, 'quotas'>): number {
  return Math.floor((quotas.signsPerSecond * (1 - quotas.interactiveShare)) / quotas.tasksAtOnce);
}

/** Lambda keeps so many executions for functions that have no part of their own. */
export const UNRESERVED = 100;

/** Parts of the account's concurrency; undefined where it is too small to give any away. */
export function reservedConcurrency({
  quotas,
}: Pick<OperatorConfig, 'quotas'>): { readonly tasks: number; readonly field: number } | undefined {
  const { tasksAtOnce: tasks, fieldCallsAtOnce: field, lambdaConcurrency } = quotas;
  return tasks + field + UNRESERVED <= lambdaConcurrency ? { tasks, field } : undefined;
}
