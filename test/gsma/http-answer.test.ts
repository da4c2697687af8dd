import { expect, it } from 'vitest';
import { writeAnswer } from '../../shared/gsma/http-answer.ts';

it('an answer that is Pending says after how many seconds to ask again, one that is Done does not', () => {
  const headersOf = (state: string) =>
    writeAnswer({ members: { state } }, 'ifpp-draft/v1.0.0', false).headers;
  expect(headersOf('Pending')).toMatchObject({ 'retry-after': '2' });
  expect(headersOf('Done')).not.toHaveProperty('retry-after');
});
