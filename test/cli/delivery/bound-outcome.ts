import { randomBytes } from 'node:crypto';

/** What a batch has of an item that is bound; its BPP is a BF36 of octets that mean nothing. */
export const boundOutcome = (transactionId: string) =>
  ({
    kind: 'bound',
    transactionId,
    keyId: '0a',
    iccid: '89000000000000000005',
    chain: 0,
    bpp: Buffer.concat([Buffer.from('bf368203e8', 'hex'), randomBytes(1000)]),
  }) as const;
