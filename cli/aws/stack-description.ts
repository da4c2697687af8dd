import { readFile } from 'node:fs/promises';
import { parseConfiguration, parseRuntimeConfig, type RuntimeConfig } from '../../shared/runtime-config.ts';
import {
  demand,
  dictionary,
  number,
  object,
  oneOf,
  optional,
  type TypeOf,
  text,
  whole,
} from '../../shared/service/records/schema.ts';
import { UsageError } from '../output/failure.ts';

const domain = object({
  name: text,
  /** What its DNS record should lead to; absent on an emulator. */
  target: optional(text),
});

const stackDescription = object({
  name: text,
  target: oneOf('aws', 'emulator'),
  /** ARN of the key that each alias should name. */
  aliases: dictionary(text),
  /** ARN of the topic of alarms. */
  topic: text,
  /** An alarm that may be rung to see whether it arrives. */
  testAlarm: text,
  domains: object({ parties: domain, field: domain }),
  /** How an emulator is called, which has no domains and ends no mutual TLS: IDs of the APIs, and a header for the certificate. */
  emulated: optional(object({ partiesApi: text, fieldApi: text, certificateHeader: text })),
  quotas: object({
    signsPerSecond: number,
    lambdaConcurrency: whole,
    /** Lambdas that have a part of the account's concurrency of their own, by name; none in small accounts. */
    reserved: dictionary(whole),
  }),
});

/** What a stack tells of itself, in its output `Description`: what `smdpf aws doctor` holds AWS against. */
export type StackDescription = TypeOf<typeof stackDescription>;
export type DomainDescription = TypeOf<typeof domain>;

/** By stack, then by output. */
const outputsFile = object({ stacks: dictionary(dictionary(text)) });

/** A deployed stack, as `cdk deploy --outputs-file` wrote it down. */
export interface DeployedStack {
  readonly description: StackDescription;
  readonly runtime: RuntimeConfig;
  /** URIs of the binding keys. */
  readonly bindingKeys: readonly string[];
  readonly region: string;
}

const OPTION = '--outputs';

/** Reads the outputs of one stack; `stack` names it where the file has several. */
export async function readStack(file: string, stack: string | undefined): Promise<DeployedStack> {
  const json = await readFile(file, 'utf8').catch((cause) => {
    throw new UsageError(
      `${OPTION}: ${file} cannot be read`,
      'Deploy with `cdk deploy smdpf-NAME --outputs-file FILE`, and name that file.',
      { cause },
    );
  });
  const outputs = choose(parse(json, file), stack, file);
  const output = (name: string): string => {
    const value = outputs[name];
    if (value === undefined)
      throw new UsageError(
        `${OPTION}: ${file} has no output ${name}`,
        'Deploy the stack again with this release.',
      );
    return value;
  };
  const description = parseConfiguration(
    stackDescription,
    output('Description'),
    `the output Description in ${file}`,
  );
  return {
    description,
    runtime: parseRuntimeConfig(output('Runtime'), `the output Runtime in ${file}`),
    bindingKeys: Object.keys(outputs)
      .filter((name) => name.startsWith('BindingKey'))
      .map(output),
    region: description.topic.split(':')[3]!,
  };
}

type Outputs = Readonly<Record<string, string>>;

function parse(json: string, file: string): Readonly<Record<string, Outputs>> {
  const wrong = (): never => {
    throw new UsageError(
      `${OPTION}: ${file} holds no outputs of stacks`,
      'Name the file that `cdk deploy --outputs-file` wrote.',
    );
  };
  const read: unknown = { stacks: parsed(json) };
  demand(outputsFile, read, wrong);
  return read.stacks;
}

function parsed(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    return value;
  } catch {
    return undefined;
  }
}

function choose(stacks: Readonly<Record<string, Outputs>>, stack: string | undefined, file: string): Outputs {
  const names = Object.keys(stacks).filter((name) => stacks[name]?.Runtime !== undefined);
  const name = stack ?? (names.length === 1 ? names[0] : undefined);
  const outputs = name === undefined ? undefined : stacks[name];
  if (outputs === undefined)
    throw new UsageError(
      `${OPTION}: ${file} has ${names.length === 0 ? 'no stack of an SM-DPf' : `the stacks ${names.join(', ')}`}`,
      'Name one with --stack.',
    );
  return outputs;
}
