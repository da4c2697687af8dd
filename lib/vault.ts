import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { EXPIRING_FOLDERS } from '../shared/service/life/kinds.ts';
import { acknowledge, objectsFinding } from './acknowledge.ts';
import type { OperatorConfig } from './config.ts';
import type { StorageKey } from './keys.ts';
import type { SmdpfFunction } from './smdpf-function.ts';

/** Names of objects that are written once: no newer version may be laid over them. */
export const WRITTEN_ONCE = ['audit/*', 'commits/*', 'crls/*', 'manifests/*', 'records/*'];

const READ = ['s3:GetObject', 's3:GetObjectVersion'];
/** Retention is set where a lock is asked for, and read before anything is removed. */
const WRITE = [
  's3:PutObject',
  's3:PutObjectRetention',
  's3:GetObjectRetention',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];
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
    const passing = (prefix: string) => ({
      id: `expire-${prefix}`,
      prefix: `${prefix}/`,
      expiration,
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
        ...EXPIRING_FOLDERS.map(passing),
      ],
      removalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'WrittenOnce',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:PutObject'],
        resources: WRITTEN_ONCE.map((names) => this.bucket.arnForObjects(names)),
        conditions: { Null: { 's3:if-none-match': 'true' } },
      }),
    );
    acknowledge(
      this.bucket,
      'S1',
      'parties reach objects by presigned URLs alone, and the audit log has a line for each answer that names one',
    );
    this.#uri = `s3://${this.bucket.bucketName}${production ? `?lock-days=${lockDays}` : ''}`;
  }

  grantTo(fn: SmdpfFunction, access: 'read' | 'write'): void {
    const write = access === 'write';
    fn.allow(write ? [...READ, ...WRITE] : READ, [this.bucket.arnForObjects('*')]);
    fn.allow(write ? LOOK_TO_WRITE : LOOK, [this.bucket.bucketArn]);
    acknowledge(
      fn.role,
      'IAM5',
      'the names of objects follow from orders and jobs: a function may touch those of its own bucket',
      objectsFinding(this.bucket, '*'),
    );
    this.#storageKey.grantTo(fn, 's3');
    fn.grant([], (config) => ({ ...config, vault: this.#uri }));
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
  readonly #storageKey: StorageKey;

  constructor(scope: Construct, id: string, config: OperatorConfig, storageKey: StorageKey) {
    super(scope, id);
    this.#storageKey = storageKey;
    this.table = new Table(this, 'Table', {
      tableName: `${config.name}-smdpf-ppks`,
      partitionKey: { name: 'pack', type: AttributeType.STRING },
      sortKey: { name: 'part', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: storageKey.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: false },
      deletionProtection: config.target === 'aws',
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
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:BatchWriteItem',
      ],
      [this.table.tableArn],
    );
    this.#storageKey.grantTo(fn, 'dynamodb');
    fn.grant([], (config) => ({ ...config, ppks: this.uri }));
  }

  get uri(): string {
    return `dynamodb:${this.table.tableName}`;
  }
}
