export async function exportAudit(_format: 'csv' | 'json', _filter: object): Promise<void> {
  throw new Error('not yet');
}
