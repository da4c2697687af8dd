/** As much of the provider as the tests use; its own types would bring those of a whole web framework. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }

  interface Context {
    readonly oidc: {
      readonly client?: { readonly clientId: string };
      readonly session?: { readonly accountId?: string };
      readonly provider: {
        readonly Grant: new (given: { readonly clientId: string; readonly accountId: string }) => Grant;
      };
    };
  }

  interface Account {
    readonly accountId: string;
    claims(): Promise<Readonly<Record<string, unknown>> & { readonly sub: string }>;
  }

  export const interactionPolicy: { base(): { remove(name: string): void } };

  export default class Provider {
    constructor(
      issuer: string,
      configuration: {
        readonly findAccount: (context: Context, accountId: string) => Account;
        readonly loadExistingGrant: (context: Context) => Promise<Grant>;
        readonly [name: string]: unknown;
      },
    );
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: { readonly login: { readonly accountId: string } },
    ): Promise<void>;
  }
}
