import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditExport } from '../../../shared/service/api/ops.ts';
import { exportAuditLines } from '../../../shared/service/inventory/audit-export.ts';
import { Deployment } from '../../support/deployment.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  const { services, audit } = deployment.runtime;
  const party = (name: string, index: number) =>
    services.parties.add(
      String(index).repeat(64),
      { identifier: `2.999.${index}`, role: 'viewer', name },
      { through: 'console', person: '=HYPERLINK("https://evil.example")', knownBy: 'login' },
    );
  await party('a "quoted", name', 1);
  await party('plain', 2);
  await audit.chain();
});
afterAll(() => deployment?.close());

const payloadOf = ({ statement }: AuditExport) =>
  JSON.parse(Buffer.from(statement.split('.')[1]!, 'base64url').toString('utf8'));

describe('an export of the audit log', () => {
  it.each(['csv', 'json'] as const)(
    'as %s has a statement of its hash, its lines and the end of the chain',
    async (format) => {
      const { context, audit } = deployment.runtime;
      const made = await exportAuditLines(context, { format });
      const head = await audit.head();
      expect(payloadOf(made)).toMatchObject({
        sha256: createHash('sha256').update(made.content).digest('hex'),
        format,
        from: 1,
        to: head.sequence,
        lines: head.sequence,
        filter: {},
        head: { sequence: head.sequence, hash: head.hash },
      });
      expect(made.next).toBeUndefined();
    },
  );

  it('has what was asked for alone: an event, a caller or a person, from a line on', async () => {
    const { context } = deployment.runtime;
    const added = await exportAuditLines(context, { format: 'json', event: 'party.added' });
    expect(added.lines).toBe(2);
    const lines = added.content
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { sequence: number });
    const rest = await exportAuditLines(context, {
      format: 'json',
      by: 'console',
      from: lines[1]!.sequence,
    });
    expect(rest.lines).toBe(1);
    const person = await exportAuditLines(context, {
      format: 'json',
      by: '=HYPERLINK("https://evil.example")',
    });
    expect(person.lines).toBe(2);
  });

  it('as CSV has nothing that a spreadsheet would take for a formula, and every quotation mark twice', async () => {
    const { content } = await exportAuditLines(deployment.runtime.context, { format: 'csv', by: 'console' });
    expect(content).toContain(`"'=HYPERLINK(""https://evil.example"")"`);
    expect(content).not.toContain(',"=');
    expect(content).toContain('\\""quoted\\"", name');
    expect(content.split('\r\n').filter((line) => line !== '')).toHaveLength(3);
  });
});
