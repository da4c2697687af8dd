import { awsClient } from '../../shared/aws/client-config.ts';
import { FilePpkVault } from '../../shared/vault/file-ppk.ts';
import { destroyFile, type Erased } from './destroy-key.ts';

/** Destroys the PPK vault: files by overwriting, a table with all that is in it; neither has backups. */
export async function destroyPpks(uri: string): Promise<Erased> {
  if (!uri.startsWith('file:')) return await deleteTable(uri, 'no backup of it was ever made');
  const vault = await FilePpkVault.open(uri.slice('file:'.length));
  const count = await vault.destroyAll();
  const left = await vault.destroyAll();
  if (left > 0) throw new Error(`${left} packs of the PPK vault are left`);
  return {
    what: `PPK vault ${uri}`,
    state: 'erased',
    count,
    checked: 'overwritten and removed; none is left',
  };
}

/** Destroys the ledger. A table leaves a system backup of 35 days, which DynamoDB makes and deletes by itself. */
export async function destroyLedger(uri: string): Promise<Erased> {
  if (!uri.startsWith('sqlite:'))
    return await deleteTable(uri, 'DynamoDB keeps a backup by itself for 35 days; it holds no secrets');
  const file = uri.slice('sqlite:'.length);
  for (const end of ['-wal', '-shm']) await destroyFile(file + end);
  return { ...(await destroyFile(file)), what: `ledger ${uri}` };
}

async function deleteTable(uri: string, checked: string): Promise<Erased> {
  const {
    DynamoDBClient,
    DeleteTableCommand,
    DescribeTableCommand,
    UpdateTableCommand,
    waitUntilTableNotExists,
  } = await import('@aws-sdk/client-dynamodb');
  const client = new DynamoDBClient(awsClient());
  const TableName = uri.slice('dynamodb:'.length);
  const what = `table ${TableName}`;
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    if (Table?.DeletionProtectionEnabled)
      await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
    await client.send(new DeleteTableCommand({ TableName }));
    await waitUntilTableNotExists({ client, maxWaitTime: 600 }, { TableName });
    return { what, state: 'erased', checked: `the table does not exist any more; ${checked}` };
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    return { what, state: 'absent', checked: 'no such table' };
  } finally {
    client.destroy();
  }
}
