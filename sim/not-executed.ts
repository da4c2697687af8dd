import type { FunctionAnswer } from './function-answer.ts';
import { SimError } from './tlv.ts';

/** The server did not execute a function. */
export class NotExecuted extends SimError {
  readonly answer: FunctionAnswer;

  constructor(answer: FunctionAnswer) {
    const code = `${answer.subjectCode ?? '-'}/${answer.reasonCode ?? '-'}`;
    super(`HTTP ${answer.httpStatus}, ${answer.status} ${code} ${answer.message ?? ''}`);
    this.answer = answer;
  }
}
