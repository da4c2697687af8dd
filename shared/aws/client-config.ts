/** Milliseconds: a connection within a region takes some, and a call of DynamoDB, SQS or Step Functions a few tens. */
const CONNECTION_TIMEOUT = 2_000;
const REQUEST_TIMEOUT = 5_000;
const SOCKET_TIMEOUT = 30_000;

/** For S3: until the answer begins, which for a part of an upload is once the part has gone. */
export const S3_REQUEST_TIMEOUT = 30_000;

/**
 * What every client of AWS is made with. The SDK itself waits without end: a connection that has died would hold a call
 * until its Lambda is killed, where a new attempt takes milliseconds.
 */
export const awsClient = ({ requestTimeout = REQUEST_TIMEOUT, maxAttempts = 8 } = {}) => ({
  maxAttempts,
  requestHandler: {
    connectionTimeout: CONNECTION_TIMEOUT,
    requestTimeout,
    socketTimeout: SOCKET_TIMEOUT,
    // without it a breach is a line in a log and no more
    throwOnRequestTimeout: true,
  },
});
