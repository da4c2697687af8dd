import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import { present } from '../shared/present.ts';
import { EXPIRING_FOLDERS } from '../shared/service/life/kinds.ts';
import { PPK_IDENTITY, REMOVABLE, WRITTEN_ONCE } from '../shared/service/records/object-names.ts';
import { STAGING } from '../shared/vault/s3/large.ts';
import { acknowledge, objectsFinding } from './acknowledge.ts';
import type { OperatorConfig } from './config.ts';
import { keeping } from './keeping.ts';
import type { StorageKey } from './keys.ts';
import { allowing, type SmdpfFunction } from './smdpf-function.ts';

/** Where objects of a folder are, for a policy. */
const inFolder = (folder: string) => `${folder}*`;

const READ = ['s3:GetObject', 's3:GetObjectVersion'];
/** Retention is set where a lock is asked for, and read before anything is removed. */
const WRITE = [
  's3:PutObject',
  's3:PutObjectRetention',
  's3:GetObjectRetention',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];
/** Versions by their IDs alone: a delete marker would hide a version, and the next put would be a first one again. */
const REMOVE = ['s3:DeleteObjectVersion'];
const TEMPORARY = [...REMOVABLE, STAGING];
/** Without ListBucket S3 answers 403 where an object is missing, and nobody could tell. */
const LOOK = ['s3:ListBucket'];
const LOOK_TO_WRITE = ['s3:ListBucket', 's3:ListBucketVersions'];

/** Packs, parts, manifests, commit records and uploads. */
export class Vault extends Construct {
  readonly bucket: Bucket;
  readonly #storageKey: StorageKey;
  readonly #uri: string;

  constructor(scope: Construct, id: string, config: OperatorConfig, storageKey: StorageKey) {
    super(scope, id);
    this.#storageKey = storageKey;
    const production = config.target === 'aws';
    const { lockDays, uploadDays } = config.retention;
    const expiration = Duration.days(uploadDays);
    const noncurrentVersionExpiration = Duration.days(1);
    const passing = (prefix: string, after = expiration) => ({
      id: `expire-${prefix}`,
      prefix: `${prefix}/`,
      expiration: after,
      noncurrentVersionExpiration,
    });
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.KMS,
      encryptionKey: storageKey.key,
      bucketKeyEnabled: true,
      versioned: true,
      // the lock itself is asked for object by object (shared/vault/s3.ts)
      objectLockEnabled: production,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        { id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
        ...EXPIRING_FOLDERS.map((folder) => passing(folder)),
        // what a death between the last part and the copy leaves behind (shared/vault/s3/large.ts)
        passing('.staging', Duration.days(1)),
      ],
      removalPolicy: keeping(config),
    });
    this.#writeOnce();
    acknowledge(
      this.bucket,
      'S1',
      'parties reach objects by presigned URLs alone, and the audit log has a line for each answer that names one',
    );
    this.#uri = `s3://${this.bucket.bucketName}${production ? `?lock-days=${lockDays}` : ''}`;
  }

  grantTo(fn: SmdpfFunction, access: 'read' | 'write'): void {
    fn.grant(this.rights(fn.role, access), (config) => ({ ...config, vault: this.#uri }));
  }

  /** What `holder` may do with objects; the reasons for its wildcards are put beside them. */
  rights(holder: IConstruct, access: 'read' | 'write'): PolicyStatement[] {
    const write = access === 'write';
    const inFolders = (actions: readonly string[], folders: readonly string[]) => {
      const names = folders.map(inFolder);
      const reason =
        'the names of objects follow from orders and jobs: these are of one folder of one bucket';
      for (const name of names) acknowledge(holder, 'IAM5', reason, objectsFinding(this.bucket, name));
      return allowing(
        actions,
        names.map((name) => this.bucket.arnForObjects(name)),
      );
    };
    return [
      inFolders(READ, ['']),
      ...(write ? [inFolders(WRITE, [...WRITTEN_ONCE, ...TEMPORARY]), inFolders(REMOVE, TEMPORARY)] : []),
      allowing(write ? LOOK_TO_WRITE : LOOK, [this.bucket.bucketArn]),
      this.#storageKey.rights('s3'),
    ];
  }

  /** Nobody lays a newer version over a locked object, nor hides one behind a delete marker to make it a first again. */
  #writeOnce(): void {
    const denied = (sid: string, action: string, conditions?: Record<string, Record<string, string>>) =>
      this.bucket.addToResourcePolicy(
        new PolicyStatement({
          sid,
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: [action],
          resources: WRITTEN_ONCE.map((folder) => this.bucket.arnForObjects(inFolder(folder))),
          ...present({ conditions }),
        }),
      );
    denied('WrittenOnce', 's3:PutObject', { Null: { 's3:if-none-match': 'true' } });
    denied('NeverHidden', 's3:DeleteObject');
  }

  get uri(): string {
    return this.#uri;
  }
}

/**
 * The PPK vault: a table without point-in-time recovery, backups and streams, so that a destroyed key is nowhere (I5).
 * Losing it means to prepare the unbound profiles anew.
 */
export class PpkVault extends Construct {
  readonly table: Table;
  readonly storageKey: StorageKey;

  constructor(scope: Construct, id: string, config: OperatorConfig, storageKey: StorageKey) {
    super(scope, id);
    this.storageKey = storageKey;
    this.table = new Table(this, 'Table', {
      tableName: `${config.name}-smdpf-ppks`,
      partitionKey: { name: 'pack', type: AttributeType.STRING },
      sortKey: { name: 'part', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: storageKey.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: false },
      deletionProtection: config.established === true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(
      this.table,
      'DDB3',
      'what is destroyed here must be nowhere: a backup could decrypt issued profiles',
    );
  }

  grantTo(fn: SmdpfFunction): void {
    fn.allow(
      [
        'dynamodb:GetItem',
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:Scan',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:BatchWriteItem',
      ],
      [this.table.tableArn],
    );
    fn.grant([this.storageKey.rights('dynamodb')], (config) => ({ ...config, ppks: this.uri }));
  }

  /**
   * To ask whose PPK vault it is, and to say so at the first start of all (I12): whoever opens the stores does that before
   * anything else. No key is within reach of it.
   */
  identityRights(): PolicyStatement[] {
    return [
      allowing(['dynamodb:GetItem', 'dynamodb:PutItem'], [this.table.tableArn], {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [PPK_IDENTITY] },
        // which is true of no keys at all
        Null: { 'dynamodb:LeadingKeys': 'false' },
      }),
      this.storageKey.rights('dynamodb'),
    ];
  }

  get uri(): string {
    return `dynamodb:${this.table.tableName}`;
  }
}
