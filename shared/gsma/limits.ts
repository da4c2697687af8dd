/**
 * Sizes in octets. AWS Lambda takes and gives at most 6 MB in an event of JSON, where binary bodies are base64;
 * what is larger than these limits moves by openTransfer and getTransfer. The embedded server keeps the same limits,
 * so that a client never notices where it is served.
 */

/** HTTP body of a request, JSON or DER. */
export const MAX_BODY = 4 * 1024 * 1024;

/**
 * HTTP body of a notification from the field, where anybody may call (I13). A ProfileInstallationResult has some hundred
 * octets; an OtherSignedNotification carries two certificates besides (SGP.22 section 2.5.6), so some 3 kB in base64.
 */
export const MAX_NOTIFICATION_BODY = 32 * 1024;

/** HTTP body of an answer as it stands in the Lambda's own result. */
export const MAX_ANSWER = 6_000_000;

/** Objects and arrays inside each other. */
export const MAX_JSON_DEPTH = 16;

/** Members of one JSON object. */
export const MAX_JSON_MEMBERS = 256;
