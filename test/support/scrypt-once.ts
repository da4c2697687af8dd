/**
 * A set-up file: scrypt of the same passphrase and salt is made once per process. A softkey file costs a tenth of a second
 * each time it is opened, as it is meant to, and a deployment of the tests opens three of them.
 */
import crypto, { type BinaryLike, type ScryptOptions } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

type Callback = (error: Error | null, key: Buffer) => void;

const INSTALLED = Symbol.for('smdpf.test.scrypt-once');

function install(): void {
  const known = new Map<string, Buffer>();
  const { scrypt } = crypto;
  const once = (
    password: BinaryLike,
    salt: BinaryLike,
    length: number,
    options: ScryptOptions,
    callback: Callback,
  ): void => {
    // a digest, so that no passphrase stays here that the code under test has wiped
    const hash = crypto.createHash('sha256').update(password as Uint8Array);
    const name = hash
      .update('\0')
      .update(salt as Uint8Array)
      .update(JSON.stringify({ ...options, length }))
      .digest('hex');
    const before = known.get(name);
    if (before !== undefined) return void setImmediate(callback, null, Buffer.from(before));
    scrypt(password, salt, length, options, (error, key) => {
      if (error === null) known.set(name, Buffer.from(key));
      callback(error, key);
    });
  };
  Object.assign(crypto, { scrypt: once });
  syncBuiltinESMExports();
}

const installed = globalThis as { [INSTALLED]?: true };
if (!installed[INSTALLED]) {
  installed[INSTALLED] = true;
  install();
}
