import { describe, expect, it } from 'vitest';
import { RULES } from '../../../../shared/profile/package/checks/rules.ts';
import { rulesDocument } from '../../../../shared/profile/package/checks/rules-document.ts';
import { checkPackage } from '../../../../shared/profile/package/validate.ts';
import { APPLICATION_CASES } from './application.cases.ts';
import type { Case } from './cases.ts';
import { CONTENT_CASES } from './content.cases.ts';
import { STRUCTURE_CASES } from './structure.cases.ts';

const CASES: readonly Case[] = [...STRUCTURE_CASES, ...CONTENT_CASES, ...APPLICATION_CASES];

describe('each rule is broken by a package that breaks only it', () => {
  for (const [id, upp, also = [], metadata] of CASES)
    it(id, () => {
      const { findings, held } = checkPackage(upp(), metadata);
      const codes = new Set(findings.map(({ code }) => code));
      expect([...codes].sort()).toEqual([id, ...also].sort());
      expect(held).not.toContain(id);
      const found = findings.find(({ code }) => code === id)!;
      expect(found.wayOut).toBeTruthy();
      if (!id.startsWith('metadata') && !id.endsWith('-present'))
        expect(found.pe ?? found.malformed).toBeTruthy();
    });

  it('and every rule has such a package', () => {
    const tried = new Set(CASES.map(([id]) => id));
    expect(RULES.map(({ id }) => id).filter((id) => !tried.has(id))).toEqual([]);
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
  });
});

it('docs/profile-rules.md is made from the table', async () => {
  await expect(rulesDocument()).toMatchFileSnapshot('../../../../docs/profile-rules.md');
});
