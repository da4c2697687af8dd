import { RemovalPolicy } from 'aws-cdk-lib';
import type { OperatorConfig } from './config.ts';

/**
 * What outlives its stack, but not a creation that failed: left behind, its name would be taken at the next attempt.
 * An emulator keeps nothing.
 */
export const keeping = ({ target }: Pick<OperatorConfig, 'target'>): RemovalPolicy =>
  target === 'aws' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
