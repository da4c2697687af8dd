export type JsonObject = { readonly [name: string]: unknown };

/** What a server answered to a function. */
export interface FunctionAnswer {
  readonly httpStatus: number;
  /** X-Admin-Protocol of the answer. */
  readonly adminProtocol?: string;
  /** Empty for 204. */
  readonly body: JsonObject;
  /** functionExecutionStatus.status; `Executed-Success` for 204. */
  readonly status: string;
  readonly subjectCode?: string;
  readonly reasonCode?: string;
  readonly message?: string;
}
