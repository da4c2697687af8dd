import { describe, expect, it } from 'vitest';
import { checkTags } from '../../release/version.ts';

const changelog = (heading: string) => `# Changes\n\n${heading}\n\nWhat is new.\n`;

describe('the tag rule', () => {
  it('takes a commit without a tag whose version the changelog has, with its date or not yet', () => {
    checkTags('1.2.3', [''], changelog('## 1.2.3'));
    checkTags('1.2.3', ['before-the-move'], changelog('## 1.2.3 (2027-03-01)'));
  });

  it('takes the tag of the version where the changelog has its date', () => {
    checkTags('1.2.3', ['v1.2.3'], changelog('## 1.2.3 (2027-03-01)'));
  });

  it.each([
    ['the tag of another version', ['v1.2.4'], '## 1.2.3 (2027-03-01)', 'the commit has the tag v1.2.4'],
    ['no heading', [], '## 1.2.2 (2027-01-01)', 'no heading "## 1.2.3"'],
    ['a tag without the date', ['v1.2.3'], '## 1.2.3', 'no date'],
    ['the date of another version', ['v1.2.3'], '## 1.2.3\n\n## 1.2.2 (2027-01-01)', 'no date'],
  ])('refuses %s', (_, tags, heading, message) => {
    expect(() => checkTags('1.2.3', tags, changelog(heading))).toThrow(message);
  });
});
