import { present } from '../present.ts';
import type { AwsKmsOptions } from './awskms.ts';
import type { Pkcs11Options } from './pkcs11.ts';
import type { ProviderOpeners } from './registry.ts';
import { type Environment, parseSecretSource } from './secret-source.ts';

export interface KeyBackendSettings {
  /** NODE_ENV and the environment as the process was started with. */
  readonly nodeEnv: string | undefined;
  readonly env: Environment;
  /** Where relative paths of softkey and pem URIs lead from; the working folder unless given. */
  readonly folder?: string;
  /** softkey and pem keys are refused where NODE_ENV is `production`, unless this says otherwise. */
  readonly allowSoftwareKeysInProduction?: boolean;
  /** `file:PATH` or `env:NAME`, for softkey URIs without passphrase-source. */
  readonly softkeyPassphraseSource?: string;
  /** `pinSource` as `file:PATH` or `env:NAME`, for pkcs11 URIs without pin-source. */
  readonly pkcs11?: Omit<Pkcs11Options, 'env' | 'pinSource'> & { readonly pinSource?: string };
  readonly awskms?: AwsKmsOptions;
}

/** All backends, each with its libraries loaded at the first key of its scheme and not before. */
export function keyBackends(settings: KeyBackendSettings): ProviderOpeners {
  const { nodeEnv, env } = settings;
  const software = {
    nodeEnv,
    allowInProduction: settings.allowSoftwareKeysInProduction ?? false,
    ...present({ folder: settings.folder }),
  };
  return {
    async softkey() {
      const { SoftkeyProvider } = await import('./softkey.ts');
      const source = settings.softkeyPassphraseSource;
      return new SoftkeyProvider({
        ...software,
        env,
        ...(source !== undefined && {
          defaultPassphraseSource: parseSecretSource(source, 'the softkey passphrase source'),
        }),
      });
    },
    async pem() {
      const { PemKeyProvider } = await import('./pem.ts');
      return new PemKeyProvider(software);
    },
    async pkcs11() {
      const { Pkcs11Provider } = await import('./pkcs11.ts');
      const { pinSource, ...options } = settings.pkcs11 ?? {};
      return new Pkcs11Provider({
        ...options,
        env,
        ...(pinSource !== undefined && { pinSource: parseSecretSource(pinSource, 'the PKCS#11 pin-source') }),
      });
    },
    async awskms() {
      const { AwsKmsProvider } = await import('./awskms.ts');
      return new AwsKmsProvider(settings.awskms);
    },
  };
}
