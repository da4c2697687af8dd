import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Fault } from '../shared/errors.ts';
import { Destinations } from '../shared/net/destinations.ts';
import { parseTimeSource } from '../shared/net/sntp.ts';
import { present } from '../shared/present.ts';
import { canaryMinutes } from './canary.ts';
import { administratorRoles, type OperatorConfig, reservedConcurrency, signsPerTask } from './config.ts';
import { PROVISIONED_GROUPS, provisionable, provisionedGroups, provisionedOf } from './provisioned.ts';

/** Where truststores lie. */
export const TRUSTSTORES = join(import.meta.dirname, 'operators');

/** Octets of a CA in PEM: Lambda's environment of 4,096 has to hold it beside the names of stores and keys. */
export const MAX_CALLBACK_CA = 2_000;
/** S3 keeps a locked object for a hundred years at most. */
const MAX_LOCK_DAYS = 36_500;
/** The alarm on a schedule that has stopped looks back for a day. */
const MAX_MINUTES = 1_440;

const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** What is wrong with a member, and what would be right; undefined where all is well. */
type Rule = (config: OperatorConfig) => string | undefined | readonly (string | undefined)[];

const unless = (right: boolean, say: string): string | undefined => (right ? undefined : say);
const whole = (value: number, least: number, most = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most;

const RULES: readonly Rule[] = [
  ({ name }) => unless(/^[a-z][a-z0-9-]{1,24}$/.test(name), 'name: 2 to 25 of a-z, 0-9 and -'),
  ({ deployment }) => unless(/^[\w.-]{1,64}$/.test(deployment), 'deployment: 1 to 64 letters, digits, . _ -'),
  environment,
  keyNames,
  domainNames,
  administrator,
  retention,
  quotas,
  concurrency,
  alarms,
  ({ sizes = {} }) =>
    Object.entries(sizes).map(([what, size]) =>
      unless(whole(size, 1), `sizes.${what}: a whole number, 1 and more`),
    ),
  ({ crlFetchMinutes }) =>
    unless(whole(crlFetchMinutes, 2, MAX_MINUTES), `crlFetchMinutes: whole minutes, 2 to ${MAX_MINUTES}`),
  ({ ledgerTable }) =>
    unless(
      ledgerTable === undefined || /^[\w.-]{3,255}$/.test(ledgerTable),
      'ledgerTable: the name of a table, not its ARN',
    ),
  ({ canary }) =>
    canary === undefined
      ? undefined
      : [
          unless(canaryMinutes.includes(canary.minutes), `canary.minutes: ${canaryMinutes.join(', ')}`),
          unless(whole(canary.faults, 0), 'canary.faults: a whole number, 0 and more'),
        ],
  auditAnchor,
  provisioned,
  consoleFront,
  callbackCa,
  internalDestinations,
  account,
  tags,
  ({ budget, alarms }) =>
    budget === undefined
      ? undefined
      : [
          unless(budget.monthlyUsd >= 1, 'budget.monthlyUsd: 1 and more'),
          unless(alarms.email !== undefined, 'budget: alarms.email names who is told'),
        ],
];

function consoleFront({ console: front, domains, env, target }: OperatorConfig) {
  if (front === undefined) return undefined;
  const { name, certificateArn, issuer, clientId, rolesClaim, viewers, administrators } = front;
  return [
    unless(
      URL.parse(issuer)?.protocol === 'https:' || target === 'emulator',
      'console.issuer: an https URL: over http the provider could be anybody',
    ),
    unless(clientId !== '' && rolesClaim !== '', 'console: clientId and rolesClaim say something'),
    unless(
      viewers.length + administrators.length > 0,
      'console: viewers or administrators, or nobody would be let in',
    ),
    unless(
      name !== domains.parties.name && name !== domains.field.name,
      'console.name: a name of its own: browsers have no client certificate, and devices in the field no console',
    ),
    ...(target === 'aws' && env !== undefined ? [ownCertificate('console', certificateArn, env)] : []),
  ];
}

/** Throws on a configuration that would deploy something else than it says, or could not be deployed. */
export function checkConfig(config: OperatorConfig): OperatorConfig {
  const wrong = RULES.flatMap((rule) => rule(config)).filter((one) => one !== undefined);
  if (wrong.length > 0)
    throw new Error(`the configuration of ${config.name} is wrong:\n  ${wrong.join('\n  ')}`);
  return config;
}

function environment({ env, target }: OperatorConfig) {
  if (target !== 'aws') return undefined;
  if (env === undefined) return 'env: the account and region to deploy to';
  return [
    unless(/^\d{12}$/.test(env.account), 'env.account: 12 digits'),
    unless(REGION.test(env.region), 'env.region: such as eu-central-1'),
    // the conditions of our policies and the doctor name services as the other partitions do
    unless(
      !env.region.startsWith('cn-'),
      'env.region: not in China, whose partition (aws-cn) names its services in another way than these stacks do',
    ),
  ];
}

function keyNames({ bindingKeys, furtherKeys = {} }: OperatorConfig) {
  const named = (names: readonly string[]) =>
    new Set(names).size === names.length && names.every((one) => /^[a-z0-9-]{1,24}$/.test(one));
  return [
    unless(bindingKeys.length > 0, 'bindingKeys: without one nothing can be bound'),
    unless(named(bindingKeys), 'bindingKeys: names of a-z, 0-9 and -, each once'),
    ...Object.entries(furtherKeys).map(([role, names]) =>
      unless(named(names), `furtherKeys.${role}: names of a-z, 0-9 and -, each once`),
    ),
  ];
}

function domainNames({ domains, env, target }: OperatorConfig) {
  const { parties, field } = domains;
  if (parties.name === field.name) return 'domains: mutual TLS and field calls need two names';
  if (target !== 'aws' || env === undefined) return undefined;
  return [
    ownCertificate('domains.parties', parties.certificateArn, env),
    ownCertificate('domains.parties', parties.ownershipCertificateArn, env, 'ownershipCertificateArn'),
    ownCertificate('domains.field', field.certificateArn, env),
    truststore(parties.truststore),
  ];
}

function ownCertificate(
  what: string,
  arn: string | undefined,
  env: NonNullable<OperatorConfig['env']>,
  member = 'certificateArn',
) {
  const [, region, account] =
    /^arn:aws[\w-]*:acm:([\w-]+):(\d{12}):certificate\/[\w-]+$/.exec(arn ?? '') ?? [];
  return unless(
    arn === undefined || (region === env.region && account === env.account),
    `${what}.${member}: the ARN of an ACM certificate in ${env.region} of account ${env.account}; request or import it there`,
  );
}

function truststore(name: string): string | undefined {
  const file = join(TRUSTSTORES, name);
  const what = `domains.parties.truststore: lib/operators/${name}`;
  if (!existsSync(file)) return `${what} does not exist; put the PEM of the CAs of client certificates there`;
  return unless(
    areCertificates(readFileSync(file, 'utf8')),
    `${what} is not one or more CA certificates in PEM`,
  );
}

function administrator({ administratorRoleArn, administrators, env, target }: OperatorConfig) {
  const isOwnRole = (arn: string) => {
    const [, account] = /^arn:aws[\w-]*:iam::(\d{12}):role\/[\w+=,.@/-]+$/.exec(arn) ?? [];
    return target !== 'aws' || (account !== undefined && account === env?.account);
  };
  const roles = administratorRoles({ ...present({ administrators }) });
  const names = (administrators ?? []).map(({ name }) => name);
  return [
    unless(
      administratorRoleArn === undefined || isOwnRole(administratorRoleArn),
      'administratorRoleArn: the ARN of an IAM role in the account of env',
    ),
    unless(
      administrators === undefined || names.length >= 2,
      'administrators: dual control takes two persons',
    ),
    unless(
      new Set(names).size === names.length && names.every((name) => /^[a-z][a-z0-9-]{0,23}$/.test(name)),
      'administrators: names of a-z, 0-9 and -, each once',
    ),
    unless(
      roles.every(isOwnRole),
      'administrators: each roleArn is the ARN of an IAM role in the account of env',
    ),
    // STS names a role without its path
    unless(
      new Set(roles.map((arn) => arn.split('/').at(-1))).size === roles.length,
      'administrators: a role is one person, so that each has a role, and a name of it, of their own',
    ),
    unless(
      administratorRoleArn === undefined || !roles.includes(administratorRoleArn),
      'administrators: administratorRoleArn is whoever may assume it, and no person',
    ),
  ];
}

function retention({ retention: { lockDays, uploadDays, logDays } }: OperatorConfig) {
  const periods = Object.values(RetentionDays).filter(
    (days): days is RetentionDays => typeof days === 'number' && days !== RetentionDays.INFINITE,
  );
  return [
    unless(whole(lockDays, 1, MAX_LOCK_DAYS), `retention.lockDays: whole days, 1 to ${MAX_LOCK_DAYS}`),
    unless(whole(uploadDays, 1), 'retention.uploadDays: whole days, 1 and more'),
    unless(
      periods.some((days) => days === logDays),
      `retention.logDays: CloudWatch Logs knows ${periods.join(', ')} days`,
    ),
  ];
}

function quotas(config: OperatorConfig) {
  const { quotas } = config;
  const { signsPerSecond, interactiveShare, callsPerSecond, fieldCallsPerSecond, callsOfParty } = quotas;
  const { perSecond = 1, burst = 1 } = callsOfParty ?? {};
  const whole1 = (what: 'tasksAtOnce' | 'fieldCallsAtOnce' | 'lambdaConcurrency') =>
    unless(whole(quotas[what], 1), `quotas.${what}: a whole number, 1 and more`);
  return [
    unless(signsPerSecond >= 1, 'quotas.signsPerSecond: 1 and more'),
    unless(
      interactiveShare >= 0 && interactiveShare < 1,
      'quotas.interactiveShare: a part of one, from 0 to less than 1; 0.1 leaves a tenth',
    ),
    unless(callsPerSecond >= 1, 'quotas.callsPerSecond: 1 and more; with 0 nobody could call'),
    unless(fieldCallsPerSecond >= 1, 'quotas.fieldCallsPerSecond: 1 and more; with 0 no device could call'),
    unless(perSecond > 0 && burst >= 1, 'quotas.callsOfParty: more than none a second, burst 1 and more'),
    whole1('tasksAtOnce'),
    whole1('fieldCallsAtOnce'),
    whole1('lambdaConcurrency'),
    unless(
      signsPerTask(config) >= 1,
      'quotas: more tasks at once than signatures a second; lower tasksAtOnce, or have the quota of KMS raised',
    ),
  ];
}

/** Without a part of its own, long work must leave room for who waits for an answer. */
function concurrency(config: OperatorConfig) {
  const { tasksAtOnce, lambdaConcurrency } = config.quotas;
  return unless(
    reservedConcurrency(config) !== undefined || tasksAtOnce <= lambdaConcurrency / 4,
    `quotas.tasksAtOnce: ${tasksAtOnce} tasks would starve calls where Lambda runs ${lambdaConcurrency} at once; lower it to ` +
      `${Math.max(1, Math.floor(lambdaConcurrency / 4))}, or have the account's quota raised (Service Quotas, L-B99A9384) and state it as lambdaConcurrency`,
  );
}

function provisioned(config: OperatorConfig) {
  const { provisionedConcurrency = {}, quotas } = config;
  const { field } = provisionedConcurrency;
  const reserved = reservedConcurrency(config)?.field;
  const asked = provisionedOf(config);
  // a part that is reserved already is not taken again
  if (reserved !== undefined) for (const name of PROVISIONED_GROUPS.field) asked.delete(name);
  const all = [...asked.values()].reduce((sum, one) => sum + one, 0);
  return [
    ...Object.entries(provisionedConcurrency).map(([group, environments]) =>
      unless(
        provisionedGroups.some((one) => one === group) && whole(environments, 1),
        `provisionedConcurrency.${group}: a whole number, 1 and more, for one of ${provisionedGroups.join(', ')}`,
      ),
    ),
    unless(
      field === undefined || reserved === undefined || field <= reserved,
      `provisionedConcurrency.field: at most fieldCallsAtOnce, which are ${reserved}`,
    ),
    unless(
      all <= provisionable(config),
      `provisionedConcurrency: ${all} environments, and Lambda can keep ${provisionable(config)} ready where it runs ` +
        `${quotas.lambdaConcurrency} at once; ask for fewer, or have the account's quota raised (Service Quotas, L-B99A9384)`,
    ),
  ];
}

function alarms({ alarms: { email, faults, callbackMinutes, ...more } }: OperatorConfig) {
  const { workMinutes = 1, stock = 1, refused = 0 } = more;
  return [
    unless(
      email === undefined || /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email),
      'alarms.email: an address of mail',
    ),
    unless(whole(faults, 0), 'alarms.faults: a whole number, 0 and more'),
    unless(whole(callbackMinutes, 1), 'alarms.callbackMinutes: whole minutes, 1 and more'),
    unless(whole(workMinutes, 1), 'alarms.workMinutes: whole minutes, 1 and more'),
    unless(whole(stock, 1), 'alarms.stock: a whole number of profiles, 1 and more'),
    unless(whole(refused, 0), 'alarms.refused: a whole number, 0 and more'),
  ];
}

function auditAnchor({ auditAnchor: anchor, timeSource, retention }: OperatorConfig) {
  const clock = timeSource === undefined ? undefined : faultOf(() => parseTimeSource(timeSource));
  if (anchor === undefined) return clock;
  const { bucketArn, region, lockDays, keyArn } = anchor;
  return [
    clock,
    unless(
      /^arn:aws[\w-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucketArn),
      'auditAnchor.bucketArn: the ARN of a bucket, without objects',
    ),
    unless(region === undefined || REGION.test(region), 'auditAnchor.region: such as eu-west-1'),
    unless(
      whole(lockDays, retention.lockDays, MAX_LOCK_DAYS),
      'auditAnchor.lockDays: as many as retention.lockDays at least, since ends outlive what they vouch for',
    ),
    unless(
      keyArn === undefined || /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(keyArn),
      'auditAnchor.keyArn: the ARN of a KMS key',
    ),
  ];
}

function callbackCa({ callbackCa }: OperatorConfig) {
  if (callbackCa === undefined) return undefined;
  return [
    unless(
      Buffer.byteLength(callbackCa) <= MAX_CALLBACK_CA,
      `callbackCa: ${MAX_CALLBACK_CA} octets of PEM at most, since Lambda's environment has 4,096; name the one CA that issues the ` +
        "callback server's certificate, or have it issued by a public CA",
    ),
    unless(areCertificates(callbackCa), 'callbackCa: one or more CA certificates in PEM'),
  ];
}

function internalDestinations({ internalDestinations }: OperatorConfig) {
  return faultOf(() => new Destinations(internalDestinations));
}

/** What a configuration is refused with by who reads it. */
function faultOf(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
  return undefined;
}

function account({ account = {}, env }: OperatorConfig) {
  const { permissionsBoundaryArn: boundary, bootstrapQualifier: qualifier } = account;
  const [, of] = /^arn:aws[\w-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/.exec(boundary ?? '') ?? [];
  return [
    unless(
      boundary === undefined || of === 'aws' || (of !== undefined && of === env?.account),
      'account.permissionsBoundaryArn: the ARN of a managed policy in the account of env',
    ),
    unless(
      qualifier === undefined || /^[a-z0-9]{1,10}$/.test(qualifier),
      'account.bootstrapQualifier: 1 to 10 of a-z and 0-9, as `cdk bootstrap --qualifier` was given it',
    ),
  ];
}

/** What AWS takes as tags; 50 a resource, of which the stack and CloudFormation have some. */
function tags({ tags = {} }: OperatorConfig) {
  const text = (most: number) => new RegExp(`^[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]{1,${most}}$`, 'u');
  return [
    unless(Object.keys(tags).length <= 40, 'tags: 40 at most'),
    ...Object.entries(tags).map(([key, value]) =>
      unless(
        text(128).test(key) && text(256).test(value) && !/^(aws:|smdpf:)/i.test(key),
        `tags.${key}: letters, digits, spaces and _.:/=+-@, 128 of them in a name and 256 in a value; \`aws:\` and \`smdpf:\` are taken`,
      ),
    ),
  ];
}

/** True where a text holds certificates in PEM that can all be read. */
function areCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).ca);
  } catch {
    return false;
  }
}
