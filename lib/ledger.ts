import { AttributeType, BillingMode, type ITable, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { OperatorConfig } from './config.ts';
import { keeping } from './keeping.ts';
import type { StorageKey } from './keys.ts';
import { allowing, type SmdpfFunction } from './smdpf-function.ts';

/** A transaction is allowed by what its writes are. */
const ACTIONS = [
  'dynamodb:GetItem',
  'dynamodb:BatchGetItem',
  'dynamodb:Query',
  'dynamodb:Scan',
  'dynamodb:PutItem',
  'dynamodb:DeleteItem',
  'dynamodb:ConditionCheckItem',
];
const BACKUP_DAYS = 35;

/** The ledger: one table, see shared/service/records/keys.ts for what is in it. */
export class Ledger extends Construct {
  /** The table in use: the stack's own, or a restored one. */
  readonly table: Pick<ITable, 'tableArn' | 'tableName' | 'metric'>;
  readonly #storageKey: StorageKey;

  constructor(scope: Construct, id: string, config: OperatorConfig, storageKey: StorageKey) {
    super(scope, id);
    this.#storageKey = storageKey;
    const own = new Table(this, 'Table', {
      tableName: `${config.name}-smdpf-ledger`,
      partitionKey: { name: 'partition', type: AttributeType.STRING },
      sortKey: { name: 'sort', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: storageKey.key,
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: true,
        recoveryPeriodInDays: BACKUP_DAYS,
      },
      deletionProtection: config.established === true,
      removalPolicy: keeping(config),
    });
    this.table =
      config.ledgerTable === undefined ? own : Table.fromTableName(this, 'Restored', config.ledgerTable);
  }

  grantTo(fn: SmdpfFunction): void {
    fn.grant(this.rights(), (config) => ({ ...config, ledger: this.uri }));
  }

  rights(): PolicyStatement[] {
    return [allowing(ACTIONS, [this.table.tableArn]), this.#storageKey.rights('dynamodb')];
  }

  get uri(): string {
    return `dynamodb:${this.table.tableName}`;
  }
}
