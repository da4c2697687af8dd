/** What the processes of the bench have in common. */
export const MAKER = '2.999.50';
export const ORDER = 'BENCH-JOB';
export const REQUEST_ID = Buffer.from('0a0b0c0d', 'hex');
/** The request in the deployment's vault. */
export const REQUEST = 'bench/request';

/** A first request, whose job starts the worker threads and has their code compiled. */
export const FIRST = 'bench/first-request';
export const FIRST_ID = Buffer.from('0a0b0c0e', 'hex');
