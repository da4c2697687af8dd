import { RemovalPolicy } from 'aws-cdk-lib';
import { HttpApi, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { CONSOLE_VARIABLE, type ConsoleSettings } from '../lambdas/console/settings.ts';
import { present } from '../shared/present.ts';
import { acknowledge } from './acknowledge.ts';
import { logCalls, nameApi } from './api.ts';
import type { ConsoleConfig, OperatorConfig } from './config.ts';
import type { StorageKey } from './keys.ts';
import { allowing, type SmdpfFunction } from './smdpf-function.ts';

/** Calls a second of all who look; a page makes some when it opens, and one every few seconds. */
const CALLS_PER_SECOND = 50;

export interface ConsoleProps {
  readonly config: OperatorConfig;
  readonly settings: ConsoleConfig;
  readonly storageKey: StorageKey;
  readonly serve: SmdpfFunction;
}

/**
 * The console behind a name of its own, by server TLS: one Lambda that has the pages, the sessions and the functions for people
 * (lambdas/console/serve.ts), and a table of sessions. There is no bucket, and so none that could be public.
 */
export class ConsoleFront extends Construct {
  readonly api: HttpApi;
  readonly domain: ReturnType<typeof nameApi> | undefined;

  constructor(scope: Construct, id: string, { config, settings, storageKey, serve }: ConsoleProps) {
    super(scope, id);
    const production = config.target === 'aws';
    const table = this.#sessions(config, storageKey);
    serve.grant([
      allowing(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'], [table.tableArn]),
    ]);
    const { name, certificateArn, ...oidc } = settings;
    const environment: ConsoleSettings = {
      table: table.tableName,
      oidc,
      ...present({ url: production ? `https://${name}` : undefined }),
    };
    serve.function.addEnvironment(CONSOLE_VARIABLE, JSON.stringify(environment));
    this.api = new HttpApi(this, 'Api', {
      apiName: `${config.name}-smdpf-console`,
      createDefaultStage: false,
      disableExecuteApiEndpoint: production,
      defaultIntegration: new HttpLambdaIntegration('console-serve', serve.function),
    });
    acknowledge(
      this.api,
      'APIG4',
      'the Lambda itself keeps the sessions, and answers nobody else but with the login page',
    );
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: CALLS_PER_SECOND, burstLimit: 2 * CALLS_PER_SECOND },
    });
    logCalls(this, stage, config, storageKey, 'console');
    this.domain = production ? nameApi(this, this.api, stage, { name, certificateArn }) : undefined;
  }

  #sessions(config: OperatorConfig, { key }: StorageKey): Table {
    const table = new Table(this, 'Sessions', {
      tableName: `${config.name}-smdpf-console-sessions`,
      partitionKey: { name: 'name', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: key,
      timeToLiveAttribute: 'until',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(table, 'DDB3', 'nobody wants a session back that was lost: people log in again');
    return table;
  }
}
