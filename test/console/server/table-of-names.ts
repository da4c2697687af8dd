import {
  type AttributeValue,
  CreateTableCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';

type Item = Record<string, AttributeValue>;

/** A table with the key `name`, as far as the console asks: what DynamoDB does with its two conditions. */
export class TableOfNames {
  readonly #items = new Map<string, Item>();

  /** The same in an emulator. */
  static async create(client: DynamoDBClient, table: string): Promise<void> {
    await client.send(
      new CreateTableCommand({
        TableName: table,
        KeySchema: [{ AttributeName: 'name', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'name', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 60 }, { TableName: table });
  }

  readonly send = async (command: unknown): Promise<never> => {
    if (command instanceof GetItemCommand)
      return this.#answer({ Item: this.#items.get(nameOf(command.input.Key)) });
    if (command instanceof DeleteItemCommand) {
      const name = nameOf(command.input.Key);
      const Attributes = this.#items.get(name);
      this.#items.delete(name);
      return this.#answer({ Attributes });
    }
    if (command instanceof PutItemCommand) return this.#put(command.input);
    throw new Error('the console asks for nothing else');
  };

  #put({
    Item,
    ConditionExpression,
    ExpressionAttributeValues: values = {},
  }: PutItemCommand['input']): never {
    const name = nameOf(Item);
    const found = this.#items.get(name);
    const holds =
      ConditionExpression === '#value = :before'
        ? found?.value?.S === values[':before']?.S && found !== undefined
        : found === undefined || Number(found.until?.N) <= Number(values[':now']?.N);
    if (!holds) throw Object.assign(new Error('condition'), { name: 'ConditionalCheckFailedException' });
    this.#items.set(name, Item ?? {});
    return this.#answer({});
  }

  #answer(answer: object): never {
    return answer as never;
  }
}

const nameOf = (key: Item | undefined): string => key?.name?.S ?? '';
