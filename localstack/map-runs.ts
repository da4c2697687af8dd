import { createHash } from 'node:crypto';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ListMapRunsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import type { WorkKind } from '../shared/jobs/dispatcher.ts';
import { executionName } from '../shared/jobs/step-functions.ts';
import { emulatorUrl } from './outputs.ts';

/** What an emulator says of a piece of work: to be told, not to be trusted. */
export interface MapRunCounts {
  readonly execution: string;
  /** Absent where the emulator ran no distributed map. */
  readonly items?: { readonly total: number; readonly succeeded: number; readonly failed: number };
}

export async function mapRunOf(stateMachine: string, kind: WorkKind, id: string): Promise<MapRunCounts> {
  const client = new SFNClient();
  try {
    const name = executionName(kind, id, 0);
    const executionArn = `${stateMachine.replace(':stateMachine:', ':execution:')}:${name}`;
    const { status = 'unknown' } = await client.send(new DescribeExecutionCommand({ executionArn }));
    const { mapRuns = [] } = await client.send(new ListMapRunsCommand({ executionArn }));
    const mapRunArn = mapRuns[0]?.mapRunArn;
    if (mapRunArn === undefined) return { execution: status };
    const { itemCounts } = await client.send(new DescribeMapRunCommand({ mapRunArn }));
    const { total = 0, succeeded = 0, failed = 0 } = itemCounts ?? {};
    return { execution: status, items: { total, succeeded, failed } };
  } finally {
    client.destroy();
  }
}

/** Runs one Lambda as the state machine would; the emulator asks for no signature. */
export async function invoke(functionName: string, payload: unknown): Promise<unknown> {
  const response = await fetch(`${emulatorUrl()}/2015-03-31/functions/${functionName}/invocations`, {
    method: 'POST',
    body: JSON.stringify(payload),
    // emulators take account and region from the credentials' scope
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${process.env.AWS_REGION ?? 'eu-central-1'}/lambda/aws4_request, SignedHeaders=host, Signature=${createHash('sha256').update('').digest('hex')}`,
    },
  });
  const text = await response.text();
  if (!response.ok || response.headers.has('x-amz-function-error')) {
    throw new Error(`${functionName} failed: HTTP ${response.status} ${text.slice(0, 300)}`);
  }
  return JSON.parse(text);
}
