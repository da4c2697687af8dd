import { createHash, randomBytes } from 'node:crypto';

/** 32 random octets in base64url: 43 characters. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/** What a secret is kept by, so that memory holds none that opens anything, and a look-up tells nothing by its time. */
export const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
