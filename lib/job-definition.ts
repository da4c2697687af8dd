/** What the state machine's definition names. */
export interface JobDefinitionNames {
  readonly bucket: string;
  readonly runTask: string;
  readonly finish: string;
  /** Tasks of one execution at once; bounded by the KMS quota. */
  readonly tasksAtOnce: number;
}

/** Lambda's own troubles, and tasks that failed: each may be repeated without harm. */
const PATIENTLY = [
  {
    // other jobs have the tasks at once that there may be: it waits for its turn
    ErrorEquals: ['Lambda.TooManyRequestsException'],
    IntervalSeconds: 5,
    MaxAttempts: 200,
    BackoffRate: 1.5,
    MaxDelaySeconds: 60,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: ['States.ALL'],
    IntervalSeconds: 2,
    MaxAttempts: 5,
    BackoffRate: 2,
    MaxDelaySeconds: 60,
    JitterStrategy: 'FULL',
  },
];

/** An execution that hangs would keep its work from being taken up again: a day is more than any has been seen to take. */
const DAY_S = 24 * 60 * 60;
/** More than the timeout of the Lambdas themselves (lib/functions.ts), so that theirs comes first. */
const TASK_S = 330;

/**
 * The state machine of long work, in Amazon States Language: a distributed map runs a Lambda for each task of a list
 * in the vault, tolerates every failure, and writes its results aside; then the ledger is asked whether all is
 * committed. States carry names only. An execution that ends as Incomplete loses nothing: the work stays open in the
 * ledger and is started again, over tasks most of which return at once.
 */
function jobDefinition({ bucket, runTask, finish, tasksAtOnce }: JobDefinitionNames) {
  return {
    Comment: 'Chunks of a job, or packs of an order',
    TimeoutSeconds: DAY_S,
    StartAt: 'Tasks',
    States: {
      Tasks: {
        Type: 'Map',
        Label: 'Tasks',
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'JSON' },
          Parameters: { Bucket: bucket, 'Key.$': '$.tasks' },
        },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Task',
          States: {
            Task: {
              Type: 'Task',
              Resource: 'arn:aws:states:::lambda:invoke',
              Parameters: { FunctionName: runTask, 'Payload.$': '$' },
              OutputPath: '$.Payload',
              TimeoutSeconds: TASK_S,
              Retry: PATIENTLY,
              End: true,
            },
          },
        },
        MaxConcurrency: tasksAtOnce,
        ToleratedFailurePercentage: 100,
        ResultWriter: {
          Resource: 'arn:aws:states:::s3:putObject',
          Parameters: { Bucket: bucket, Prefix: 'maps' },
        },
        ResultPath: null,
        Next: 'Finish',
      },
      Finish: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: finish, Payload: { 'kind.$': '$.kind', 'id.$': '$.id' } },
        OutputPath: '$.Payload',
        TimeoutSeconds: TASK_S,
        Retry: PATIENTLY,
        Next: 'IsComplete',
      },
      IsComplete: {
        Type: 'Choice',
        Choices: [{ Variable: '$.complete', BooleanEquals: true, Next: 'Complete' }],
        Default: 'Incomplete',
      },
      Complete: { Type: 'Succeed' },
      Incomplete: {
        Type: 'Fail',
        Error: 'Incomplete',
        Cause: 'Not all tasks are committed; the work stays open and is taken up again.',
      },
    },
  };
}

/** As text. The percentage is written as a fraction: some readers of the language take a whole number for a mistake. */
export const jobDefinitionText = (names: JobDefinitionNames): string =>
  JSON.stringify(jobDefinition(names)).replace(
    '"ToleratedFailurePercentage":100,',
    '"ToleratedFailurePercentage":100.0,',
  );
