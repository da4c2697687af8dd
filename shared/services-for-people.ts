import type { Services } from './service/api/services.ts';
import type { ForPeople } from './service/inventory/open.ts';

/**
 * The services for people. Their code is loaded when they are first asked: a worker thread, and a Lambda of the factory's
 * interfaces, never do.
 */
export function servicesForPeople(parts: ForPeople): Pick<Services, 'inventory' | 'operations'> {
  const open = () => import('./service/inventory/open.ts');
  return {
    inventory: whenAsked(async () => (await open()).inventoryOf(parts)),
    operations: whenAsked(async () => (await open()).operationsOf(parts)),
  };
}

/** A service of asynchronous methods that is made by the first call of one. */
function whenAsked<Service extends object>(make: () => Promise<Service>): Service {
  let made: Promise<Service> | undefined;
  const method =
    (name: string | symbol) =>
    async (...input: unknown[]): Promise<unknown> => {
      made ??= make();
      const service = await made;
      const called: unknown = Reflect.get(service, name);
      if (typeof called !== 'function') throw new TypeError(`the service has no ${String(name)}`);
      return await Reflect.apply(called, service, input);
    };
  // what is awaited is asked for `then`, and no service has that
  return new Proxy({} as Service, { get: (_, name) => (name === 'then' ? undefined : method(name)) });
}
