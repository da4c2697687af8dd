import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { NOTHING, type Operation } from './operation.ts';
import { ORDERS } from './orders.ts';
import { REQUESTS } from './requests.ts';

/** Objects that calls read. */
const READ = /^(orders|parts|requests|manifests|reports|euicc-data|report-results)\//;

/** Octets that are not those that were stored: some flipped, cut off, or those of another object. */
function otherThan(octets: Uint8Array, another: Uint8Array | undefined, random: Random): Uint8Array {
  if (another !== undefined && random.chance(0.3)) return Uint8Array.from(another);
  if (random.chance(0.3)) return octets.slice(0, random.below(octets.length));
  const flipped = Uint8Array.from(octets);
  for (let i = 0; i <= random.below(4); i++) flipped[random.below(flipped.length)]! ^= 1 << random.below(8);
  return flipped;
}

function damageObject({ stores: { vault }, town }: World, random: Random): (() => void) | undefined {
  const names = vault.names('').filter((name) => READ.test(name));
  if (names.length === 0) return undefined;
  // packs most often, and those of the newest order: of them profiles are bound
  const newest = `orders/${town.orders.at(-1)?.orderId}/packs/`;
  const isPack = (name: string) => name.includes('/packs/');
  const packs = names.filter((name) => name.startsWith(newest) || (isPack(name) && random.chance(0.1)));
  const name = random.pick(random.chance(0.5) && packs.length > 0 ? packs : names);
  const octets = vault.raw(name);
  if (octets === undefined || octets.length === 0) return undefined;
  if (random.chance(0.2)) return vault.damage(name, undefined);
  return vault.damage(name, otherThan(octets, vault.raw(random.pick(names)), random));
}

function damagePpk({ stores: { ppks } }: World, random: Random): (() => void) | undefined {
  const packs = ppks.names().filter((name) => ppks.size(name) > 0);
  if (packs.length === 0) return undefined;
  const pack = random.pick(packs);
  const place = random.below(ppks.size(pack));
  const [octets] = ppks.entries(pack, [place]);
  if (octets === undefined) return undefined;
  const [another] = ppks.entries(pack, [random.below(ppks.size(pack))]);
  return ppks.damage(pack, place, otherThan(octets, another, random));
}

const USES = [
  ...Array.from({ length: 3 }, () => REQUESTS.requestBpp!),
  REQUESTS.getBppBatch!,
  REQUESTS.repeatRequest!,
  ORDERS.repeatOrder!,
];

export const DAMAGE: Readonly<Record<string, Operation>> = {
  /**
   * A disk that gives other octets than it took, for a while in which others go on. Then somebody puts back what was
   * there. What went out meanwhile is right, or nothing went out (I11).
   */
  damage: {
    weight: 1,
    async run(world, random) {
      const putBack = random.chance(0.7) ? damageObject(world, random) : damagePpk(world, random);
      if (putBack === undefined) return NOTHING;
      world.onFault('damage');
      world.damages += 1;
      try {
        for (let i = 0; i < 4; i++) await random.pick(USES).run(world, random);
      } finally {
        putBack();
        world.damages -= 1;
      }
      return 'put back';
    },
  },
};
