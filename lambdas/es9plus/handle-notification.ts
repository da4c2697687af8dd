import { handleNotification as binding } from '../../shared/gsma/functions/handle-notification.ts';
import { fieldFunction } from '../function-handler.ts';

export const handleNotification = fieldFunction('es9plus.handleNotification', binding);
