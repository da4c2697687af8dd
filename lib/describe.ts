import { CfnOutput, type Stack } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { StackDescription } from '../cli/aws/stack-description.ts';
import { CERTIFICATE_HEADER } from '../localstack/certificate-header.ts';
import { present } from '../shared/present.ts';
import type { AdministratorKeys } from './administrator-keys.ts';
import type { InterfaceApi } from './api.ts';
import type { OperatorConfig } from './config.ts';
import type { FunctionName } from './functions.ts';
import type { Keys, StorageKey } from './keys.ts';
import { concurrencyOf, type SmdpfFunction } from './smdpf-function.ts';
import type { PpkVault } from './vault.ts';

export interface Described {
  readonly config: OperatorConfig;
  readonly storageKey: StorageKey;
  readonly ppks: PpkVault;
  readonly keys: Keys;
  /** Those of persons. */
  readonly administratorKeys: AdministratorKeys;
  readonly apis: Readonly<Record<'parties' | 'field', InterfaceApi>>;
  readonly topic: Topic;
  readonly testAlarm: Alarm;
  readonly functions: Readonly<Record<FunctionName, SmdpfFunction>>;
}

/** The output `Description`: what `smdpf aws doctor` holds AWS against. */
export function describeStack(stack: Stack, described: Described): void {
  const { config, storageKey, ppks, keys, administratorKeys, apis, topic, testAlarm, functions } = described;
  const domain = (side: 'parties' | 'field') => ({
    name: config.domains[side].name,
    ...present({ target: apis[side].domain?.regionalDomainName }),
  });
  const stores = [storageKey, ppks.storageKey].map(({ aliasName, key }) => [aliasName, key] as const);
  const aliases = [...Object.entries(keys.aliases), ...Object.entries(administratorKeys.aliases), ...stores];
  const description: StackDescription = {
    name: config.name,
    target: config.target,
    aliases: Object.fromEntries(aliases.map(([alias, key]) => [alias, key.keyArn])),
    topic: topic.topicArn,
    // as lib/watch.ts names it
    testAlarm: `${config.name}-smdpf-${testAlarm.node.id}`,
    domains: { parties: domain('parties'), field: domain('field') },
    ...(config.target === 'emulator' && {
      emulated: {
        partiesApi: apis.parties.api.apiId,
        fieldApi: apis.field.api.apiId,
        certificateHeader: CERTIFICATE_HEADER,
      },
    }),
    quotas: {
      signsPerSecond: config.quotas.signsPerSecond,
      lambdaConcurrency: config.quotas.lambdaConcurrency,
      reserved: Object.fromEntries(
        (Object.keys(functions) as FunctionName[]).flatMap((name) => {
          const part = concurrencyOf(name, config);
          return part === undefined ? [] : [[functions[name].name, part]];
        }),
      ),
    },
  };
  new CfnOutput(stack, 'Description', {
    value: stack.toJsonString(description),
    description: 'What smdpf aws doctor holds AWS against',
  });
}
