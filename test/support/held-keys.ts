import { keyBackends } from '../../shared/keys/backends.ts';
import type { KeyProvider } from '../../shared/keys/provider.ts';
import { KeyRegistry, type KeyUse } from '../../shared/keys/registry.ts';
import { present } from '../../shared/present.ts';
import type { RuntimeConfig } from '../../shared/runtime-config.ts';

/**
 * The software keys of a configuration as if they were keys of KMS: nothing is signed or unwrapped at once, and each use
 * begins once `used` resolves.
 */
export function heldKeys(
  { keys }: Pick<RuntimeConfig, 'keys'>,
  used: (operation: 'sign' | 'unwrapDataKey') => Promise<void>,
  onUse?: (use: KeyUse) => void,
): KeyRegistry {
  const { softkey } = keyBackends({
    nodeEnv: 'test',
    env: {},
    ...present({ softkeyPassphraseSource: keys.passphrase }),
  });
  return new KeyRegistry({ softkey: async () => held(await softkey!(), used) }, onUse);
}

function held(
  provider: KeyProvider,
  used: (operation: 'sign' | 'unwrapDataKey') => Promise<void>,
): KeyProvider {
  return new Proxy(provider, {
    has: (target, name) => name !== 'syncSigner' && name in target,
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        if (name === 'sign' || name === 'unwrapDataKey') await used(name);
        return Reflect.apply(member, target, args);
      };
    },
  });
}
