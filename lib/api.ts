import { join } from 'node:path';
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  ApiMapping,
  type CfnStage,
  DomainName,
  type DomainNameProps,
  HttpApi,
  HttpMethod,
  HttpStage,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { type FunctionPath, functionAt } from '../shared/gsma/functions/index.ts';
import type { Side } from '../shared/gsma/interface-function.ts';
import { urlPaths } from '../shared/gsma/paths.ts';
import { acknowledge } from './acknowledge.ts';
import { TRUSTSTORES } from './check-config.ts';
import type { DomainConfig, OperatorConfig } from './config.ts';
import { resourceName } from './functions.ts';
import type { StorageKey } from './keys.ts';
import { VENDED_LOGS } from './log-names.ts';
import type { SmdpfFunction } from './smdpf-function.ts';

export interface InterfaceApiProps {
  readonly config: OperatorConfig;
  readonly storageKey: StorageKey;
  /** `parties` by mutual TLS, `field` by server TLS. */
  readonly side: Side;
  readonly functions: Readonly<Partial<Record<FunctionPath, SmdpfFunction>>>;
}

/**
 * One HTTP API under a domain of its own. Its default endpoint is off, since a call to it would get past mutual TLS.
 * Who calls is told by the certificate that API Gateway hands on in the event, and looked up by the function itself
 * (shared/gsma/identify-caller.ts): the truststore lets in, the register decides.
 */
export class InterfaceApi extends Construct {
  readonly api: HttpApi;
  readonly stage: HttpStage;
  /** The name that callers use; undefined on an emulator. */
  readonly domain: DomainName | undefined;

  constructor(scope: Construct, id: string, { config, storageKey, side, functions }: InterfaceApiProps) {
    super(scope, id);
    const production = config.target === 'aws';
    this.api = new HttpApi(this, 'Api', {
      apiName: `${config.name}-smdpf-${side}`,
      createDefaultStage: false,
      disableExecuteApiEndpoint: production,
    });
    const { callsPerSecond, fieldCallsPerSecond } = config.quotas;
    // each stage has a limit of its own: what the field sends takes nothing from the parties
    const rate = side === 'parties' ? callsPerSecond : fieldCallsPerSecond;
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: rate, burstLimit: rate },
      detailedMetricsEnabled: true,
    });
    logCalls(this, this.stage, config, storageKey, side);
    // functions that share a Lambda share its integration
    const integrations = new Map<SmdpfFunction, HttpLambdaIntegration>();
    for (const [path, fn] of Object.entries(functions) as [FunctionPath, SmdpfFunction][]) {
      let integration = integrations.get(fn);
      if (integration === undefined) {
        integration = new HttpLambdaIntegration(resourceName(path), fn.callee, {
          // one permission for each Lambda, not for each of its routes: a stack has 500 resources at most
          scopePermissionToRoute: false,
        });
        integrations.set(fn, integration);
      }
      for (const url of urlPaths(functionAt(path))) {
        this.api.addRoutes({ path: url, methods: [HttpMethod.POST], integration });
      }
    }
    acknowledge(
      this.api,
      'APIG4',
      side === 'parties'
        ? 'mutual TLS says who calls, and each function looks that up in the register before anything else'
        : 'devices in the field have no credentials: what they send is trusted by the signature in it alone',
    );
    this.domain = production ? this.#domain(config, side) : undefined;
  }

  #domain({ domains }: OperatorConfig, side: Side): DomainName {
    const { truststore, ownershipCertificateArn } = domains.parties;
    const mutualTls = () => {
      // named by its content: another truststore is another object, and the domain changes over to it
      const asset = new Asset(this, 'Truststore', {
        path: join(TRUSTSTORES, truststore),
      });
      return { mtls: { bucket: asset.bucket, key: asset.s3ObjectKey } };
    };
    return nameApi(this, this.api, this.stage, domains[side], {
      ...(side === 'parties' && mutualTls()),
      ...(side === 'parties' &&
        ownershipCertificateArn !== undefined && {
          ownershipCertificate: Certificate.fromCertificateArn(this, 'Ownership', ownershipCertificateArn),
        }),
    });
  }
}

/** Has an API answer under a name of its own, by TLS 1.2. */
export function nameApi(
  scope: Construct,
  api: HttpApi,
  stage: HttpStage,
  { name, certificateArn }: DomainConfig,
  more: Partial<DomainNameProps> = {},
): DomainName {
  const domain = new DomainName(scope, 'Domain', {
    domainName: name,
    certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
    securityPolicy: SecurityPolicy.TLS_1_2,
    ...more,
  });
  new ApiMapping(scope, 'Mapping', { api, domainName: domain, stage });
  return domain;
}

/** One line per call, without bodies and without what follows a path; requestId joins it to the function's log. */
export function logCalls(
  scope: Construct,
  stage: HttpStage,
  { name, retention }: OperatorConfig,
  storageKey: StorageKey,
  front: Side | 'console',
): void {
  const logs = new LogGroup(scope, 'Log', {
    logGroupName: `${VENDED_LOGS}${name}-api-${front}`,
    retention: retention.logDays as RetentionDays,
    encryptionKey: storageKey.key,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const made = stage.node.defaultChild as CfnStage;
  made.accessLogSettings = {
    destinationArn: logs.logGroupArn,
    format: Stack.of(scope).toJsonString({
      event: 'http',
      requestId: '$context.requestId',
      route: '$context.routeKey',
      status: '$context.status',
      sourceIp: '$context.identity.sourceIp',
      certificateSerial: '$context.identity.clientCert.serialNumber',
      latencyMs: '$context.responseLatency',
      error: '$context.error.message',
    }),
  };
}
