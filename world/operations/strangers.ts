import { Fault } from '../../shared/errors.ts';
import { demand } from '../checker/violation.ts';
import { Died, type Stores } from '../process.ts';
import type { Random } from '../random.ts';
import { SimulatedLedger } from '../stores/ledger.ts';
import { SimulatedPpks } from '../stores/ppks.ts';
import { SimulatedVault } from '../stores/vault.ts';
import type { World } from '../world.ts';
import type { Operation } from './operation.ts';

const emptyStores = (): Stores => ({
  ledger: new SimulatedLedger(),
  vault: new SimulatedVault(),
  ppks: new SimulatedPpks(),
});

const STORES = ['ledger', 'vault', 'ppks'] as const;

/** Whether a process starts on these stores. */
async function starts(world: World, deployment: string, stores: Stores): Promise<boolean> {
  try {
    const process = await world.start({ ...world.config, deployment }, stores);
    process.die();
    return true;
  } catch (error) {
    if (error instanceof Died) return false;
    if (error instanceof Fault && error.code === 'configuration') return false;
    throw error;
  }
}

/** Stores of ours, with one or two that are another deployment's, or nobody's, in their place. */
function mixed(ours: Stores, others: Stores, random: Random): Stores {
  const first = random.below(STORES.length);
  const second = random.chance(0.3) ? (first + 1) % STORES.length : first;
  const from = (i: number) => (i === first || i === second ? others : ours);
  return { ledger: from(0).ledger, vault: from(1).vault, ppks: from(2).ppks };
}

export const STRANGERS: Readonly<Record<string, Operation>> = {
  /** A configuration, or a store, that is not of this deployment: no process starts on what does not belong together (I12). */
  foreignStores: {
    weight: 0.4,
    async run(world, random) {
      const others = emptyStores();
      const kind = random.pick(['configuration', 'another', 'empty'] as const);
      if (kind === 'another') await starts(world, 'another world', others);
      const stores = kind === 'configuration' ? world.stores : mixed(world.stores, others, random);
      const deployment = kind === 'configuration' ? 'another world' : world.config.deployment;
      demand(
        !(await starts(world, deployment, stores)),
        'I12',
        () => `a process has started on stores that do not belong together: ${kind}`,
      );
      return kind;
    },
  },
};
