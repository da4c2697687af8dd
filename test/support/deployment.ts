import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bytes } from '../../shared/codec/bytes.ts';
import type { KeyAlgorithm } from '../../shared/keys/provider.ts';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';
import { openRuntime, type Runtime, type RuntimeOptions } from '../../shared/runtime.ts';
import type { RuntimeConfig } from '../../shared/runtime-config.ts';
import type { Caller, PartyRole } from '../../shared/service/api/caller.ts';
import type { OrderInput } from '../../shared/service/api/es2f.ts';
import { type CurveName, SimCi, SimEum } from '../../sim/index.ts';
import { PASSPHRASE, sharedSoftkey } from './softkeys.ts';

const ALGORITHM: Readonly<Record<CurveName, KeyAlgorithm>> = {
  p256: 'ecdsa-p256',
  brainpoolP256r1: 'ecdsa-brainpoolP256r1',
  frp256v1: 'ecdsa-frp256v1',
};

export const OPERATOR = caller('2.999.60', 'operator');
export const DEVICE_MAKER = caller('2.999.50', 'deviceMaker');
export const EUM = caller('2.999.40', 'eum');

export function caller(identifier: string, role: PartyRole): Caller {
  return {
    identifier,
    role,
    fingerprint: createHash('sha256').update(`${role} ${identifier}`).digest('hex'),
  };
}

/** A whole SM-DPf on embedded adapters in a folder of its own, under a CI of its own, with one EUM allowed. */
export class Deployment {
  readonly folder: string;
  config: RuntimeConfig;
  readonly ci: SimCi;
  readonly eum: SimEum;
  runtime: Runtime;

  private constructor(folder: string, config: RuntimeConfig, ci: SimCi, eum: SimEum, runtime: Runtime) {
    this.folder = folder;
    this.config = config;
    this.ci = ci;
    this.eum = eum;
    this.runtime = runtime;
  }

  static async create(
    options: RuntimeOptions & { curve?: CurveName; config?: Partial<RuntimeConfig>; memory?: boolean } = {},
  ): Promise<Deployment> {
    const { curve = 'p256', config: own = {}, memory = false, ...runtimeOptions } = options;
    const folder = await mkdtemp(join(tmpdir(), 'smdpf-test-'));
    await mkdir(join(folder, 'keys'));
    await writeFile(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 });
    const key = (name: string) => `softkey:path=${join(folder, 'keys', name)}.key`;
    const config: RuntimeConfig = {
      deployment: 'test',
      address: 'smdpf.example.com',
      ledger: memory ? 'sqlite::memory:' : `sqlite:${join(folder, 'ledger.sqlite')}`,
      vault: `file:${join(folder, 'vault')}`,
      ppks: `file:${join(folder, 'ppks')}`,
      internalDestinations: ['127.0.0.0/8'],
      keys: {
        wrapping: key('wrapping'),
        delivery: key('delivery'),
        passphrase: `file:${join(folder, 'passphrase')}`,
      },
      ...own,
    };
    // on disk lists are kept together as SQLite has them, in memory apart as on DynamoDB: both are met by many tests
    const stores = memory && { ledger: await SqliteLedger.open(':memory:', { spreads: true }) };
    const runtime = await openRuntime(config, { ...(stores && { stores }), ...runtimeOptions });
    const ci = SimCi.create({ curve });
    const eum = SimEum.create({ ci });
    await sharedSoftkey(runtime.keys, config.keys.wrapping, 'aes-256', 'wrapping');
    await sharedSoftkey(runtime.keys, config.keys.delivery, 'ecdsa-p256', 'delivery');
    await sharedSoftkey(runtime.keys, key('dppb'), ALGORITHM[curve], 'binding');

    const { trustAdministration, keys } = runtime;
    await trustAdministration.addCi(ci.certificate, { forSigning: true, forVerification: true }, 'test');
    await trustAdministration.addCrl(ci.issueCrl(), [], 'test');
    const { publicKey } = await keys.openSigningKey(key('dppb'), 'binding');
    const certificate = ci.issueDpPb({ spki: publicKey }, { oid: '2.999.10' });
    await trustAdministration.installDpPb(
      { keyUri: key('dppb'), ciPkId: ci.keyId, certificates: [certificate] },
      'test',
    );
    await trustAdministration.allowEum(eum.ca.certificate, { party: EUM.identifier }, 'test');
    return new Deployment(folder, config, ci, eum, runtime);
  }

  /** A server that stopped, however it stopped, starts again on the same folder. */
  async reopen(options: RuntimeOptions = {}): Promise<void> {
    await this.runtime.close();
    this.runtime = await openRuntime(this.config, options);
  }

  order(orderId: string, quantity: number, template: Bytes, more: Partial<OrderInput> = {}): OrderInput {
    const series = createHash('sha256').update(orderId).digest().readUInt32BE() % 100_000;
    return {
      orderId,
      profileType: 'test',
      quantity,
      requesterDms: [DEVICE_MAKER.identifier],
      template,
      personalisation: { iccidStart: `89${String(series).padStart(5, '0')}00000000000`, keys: 'template' },
      eligibility: {},
      metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
      ...more,
    };
  }

  async close(): Promise<void> {
    await this.runtime.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
