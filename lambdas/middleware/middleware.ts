import type { MiddlewareObj } from '@middy/core';
import type { CallContext, Event, Result } from '../call.ts';

export type CallMiddleware = MiddlewareObj<Event, Result, Error, CallContext>;
