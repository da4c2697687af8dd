import { handleNotification as binding } from '../../shared/gsma/functions/es9plus/handle-notification.ts';
import { fieldFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const handleNotification = fieldFunction('es9plus.handleNotification', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(handleNotification);
