import type { Measured, Verdict } from '../memory/verdict.ts';

/** A line of the table: what was measured, beside the floor of the same run. */
export interface Row {
  readonly what: string;
  /** A second; neither of what has no rate. */
  readonly ours?: number;
  readonly floor?: number;
  /** Most resident octets. */
  readonly memory?: number | undefined;
}

const most = (memory: readonly (number | null)[]): number => Math.max(...memory.map((octets) => octets ?? 0));

interface Bind {
  readonly rows: readonly {
    readonly name: string;
    readonly best: {
      readonly perSecond: number;
      readonly leanFloorPerSecond: number;
      /** Of binding: the lean floor with the ephemeral key's point as octets. */
      readonly withPoint?: { readonly perSecond: number };
    };
  }[];
}
interface Personalise {
  readonly octets: number;
  readonly floor: number;
  readonly asInOrders: number;
}
interface Orders {
  readonly made: number;
  readonly octets: number;
  readonly cpuSeconds: number;
  readonly floor: number;
  readonly memory: readonly (number | null)[];
}
interface Ingest {
  readonly runs: readonly {
    readonly entries: number;
    readonly ingestMs: number;
    readonly leanFloorMs: number;
    readonly storedFloorMs: number;
    readonly peakRss: number;
  }[];
}
interface Job {
  readonly runs: readonly {
    readonly items: number;
    readonly seconds: number;
    readonly cpuSeconds: number;
    readonly floorPerSecond: number;
    readonly memory: readonly (number | null)[];
  }[];
}

interface Jit {
  readonly runs: readonly {
    readonly callers: number;
    readonly bound: { readonly perSecond: number; readonly cpuMs: number };
    readonly floor: { readonly perSecond: number; readonly cpuMs: number };
  }[];
}

interface Memory {
  readonly measured: readonly Measured[];
  readonly verdicts: readonly Verdict[];
}

/** What the JSON of a bench says, line by line; the JSON is that of our own programs. */
export function rowsOf(bench: string, json: unknown): readonly Row[] {
  switch (bench) {
    case 'bind':
      return (json as Bind).rows.flatMap(
        ({ name, best: { perSecond: ours, leanFloorPerSecond, withPoint } }) => [
          { what: name, ours, floor: leanFloorPerSecond },
          ...(withPoint === undefined
            ? []
            : [{ what: `${name}, floor with the point`, ours, floor: withPoint.perSecond }]),
        ],
      );
    case 'personalise': {
      const { octets, floor, asInOrders } = json as Personalise;
      return [{ what: `personalise and read back, ${octets} octets`, ours: asInOrders, floor }];
    }
    case 'orders': {
      const { made, octets, cpuSeconds, floor, memory } = json as Orders;
      const what = `order of ${made}, ${octets} octets each, from CSV to stored, per core second`;
      return [{ what, ours: made / cpuSeconds, floor, memory: most(memory) }];
    }
    case 'ingest':
      return (json as Ingest).runs.flatMap(({ entries, ingestMs, leanFloorMs, storedFloorMs, peakRss }) => {
        const perSecond = (ms: number) => (entries * 1000) / ms;
        const what = `ingest of ${entries} eUICCs, one core`;
        const ours = perSecond(ingestMs);
        return [
          { what, ours, floor: perSecond(leanFloorMs), memory: peakRss },
          {
            what: `${what}, floor with what is stored`,
            ours,
            floor: perSecond(leanFloorMs + storedFloorMs),
          },
        ];
      });
    case 'job':
      return (json as Job).runs.flatMap(({ items, seconds, cpuSeconds, floorPerSecond, memory }) => [
        {
          what: `job of ${items}, request to Done, per core second`,
          ours: items / cpuSeconds,
          floor: floorPerSecond,
          memory: most(memory),
        },
        { what: `job of ${items}, request to Done, all cores`, ours: items / seconds, floor: floorPerSecond },
      ]);
    case 'jit':
      return (json as Jit).runs.flatMap(({ callers, bound, floor }) => {
        const what = `just in time over mutual TLS, ${callers} ${callers === 1 ? 'caller' : 'callers'}`;
        return [
          { what: `${what}, per core second`, ours: 1000 / bound.cpuMs, floor: 1000 / floor.cpuMs },
          { what: `${what}, all cores`, ours: bound.perSecond, floor: floor.perSecond },
        ];
      });
    case 'memory':
      return (json as Memory).measured.flatMap(({ work, size, server, client }) => [
        { what: `${work} of ${size}, killed in the middle: server`, memory: server },
        { what: `${work} of ${size}, killed in the middle: client`, memory: client },
      ]);
    default:
      throw new Error(`bench:${bench} has no line in the table`);
  }
}

/** What a bench found to hold or not; only that of memory does. */
export function verdictsOf(bench: string, json: unknown): readonly Verdict[] {
  return bench === 'memory' ? (json as Memory).verdicts : [];
}
