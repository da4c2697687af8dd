/**
 * Logs that a service delivers by itself, API Gateway and Step Functions: names that begin so share one policy of
 * CloudWatch Logs, which would run out of its 5,120 characters otherwise.
 */
export const VENDED_LOGS = '/aws/vendedlogs/smdpf/';
