import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { awsClient } from '../../shared/aws/client-config.ts';
import { isNamed } from '../../shared/aws/fault.ts';
import type { ConsoleStore } from './store.ts';

type Attributes = Readonly<Record<string, AttributeValue>> | undefined;

/**
 * A table of its own, with the string key `name`; `value` is text, `until` a number of seconds since 1970, by which DynamoDB removes
 * what is over some day. Sessions are no part of the ledger: no backup has them, and no restore brings one back.
 */
export class DynamoDbStore implements ConsoleStore {
  readonly #table: string;
  readonly #now: () => number;
  readonly #client: Pick<DynamoDBClient, 'send'>;

  /** `now` in milliseconds since 1970. */
  constructor(
    table: string,
    now: () => number,
    client: Pick<DynamoDBClient, 'send'> = new DynamoDBClient(awsClient()),
  ) {
    this.#table = table;
    this.#now = now;
    this.#client = client;
  }

  async get(name: string): Promise<string | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: { name: { S: name } }, ConsistentRead: true }),
    );
    return this.#valueOf(Item);
  }

  async put(name: string, value: string, untilMs: number, before?: string): Promise<boolean> {
    const now = { N: String(Math.floor(this.#now() / 1000)) };
    const command = new PutItemCommand({
      TableName: this.#table,
      Item: { name: { S: name }, value: { S: value }, until: { N: String(Math.ceil(untilMs / 1000)) } },
      ...(before === undefined
        ? {
            // what is over may stand there for days
            ConditionExpression: 'attribute_not_exists(#name) OR #until <= :now',
            ExpressionAttributeNames: { '#name': 'name', '#until': 'until' },
            ExpressionAttributeValues: { ':now': now },
          }
        : {
            ConditionExpression: '#value = :before',
            ExpressionAttributeNames: { '#value': 'value' },
            ExpressionAttributeValues: { ':before': { S: before } },
          }),
    });
    try {
      await this.#client.send(command);
      return true;
    } catch (error) {
      if (isNamed(error, 'ConditionalCheckFailedException')) return false;
      throw error;
    }
  }

  async take(name: string): Promise<string | undefined> {
    const { Attributes } = await this.#client.send(
      new DeleteItemCommand({ TableName: this.#table, Key: { name: { S: name } }, ReturnValues: 'ALL_OLD' }),
    );
    return this.#valueOf(Attributes);
  }

  #valueOf(attributes: Attributes): string | undefined {
    const until = Number(attributes?.until?.N ?? 0);
    return this.#now() < until * 1000 ? attributes?.value?.S : undefined;
  }
}
