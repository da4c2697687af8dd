import { Fault } from '../../shared/errors.ts';
import { HintedError } from '../output/failure.ts';
import { elementOf, SignedCalls } from './signed-calls.ts';

/** Of STS where nothing names a region; any of them answers for the account. */
const REGION = 'us-east-1';

/** The ARN of whose credentials this process has: AWS STS is asked by a signed request. */
export async function callerIdentity(): Promise<string> {
  const calls = new SignedCalls(process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? REGION);
  try {
    const arn = elementOf(await calls.query('sts', '2011-06-15', 'GetCallerIdentity', {}), 'Arn');
    if (arn === undefined) throw new Fault('configuration', 'STS does not say whose credentials these are');
    return arn;
  } catch (error) {
    if (error instanceof Fault) throw error;
    // refused by STS, or there are none to sign with
    const { name, message } = error as Error;
    const cause = new Fault(
      'configuration',
      `AWS does not say whose credentials these are: ${name}: ${message}`,
    );
    throw new HintedError(cause, 'Sign in to AWS again, or set AWS_PROFILE; then run it again.');
  } finally {
    calls.close();
  }
}
