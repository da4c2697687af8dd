import { APART, FLOORS, type Floor } from './floors.ts';
import { imported, type SourceFile } from './source-tree.ts';

/** An import that runs from one file to another. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
}

export function arrowsOf(files: readonly SourceFile[]): Arrow[] {
  return files.flatMap((file) => imported(file).map((to) => ({ from: file.path, to })));
}

/** The room that a file is in: the longest one that its path begins with. */
export function roomOf(path: string, floors: readonly Floor[] = FLOORS): string | undefined {
  return floors
    .flatMap(({ rooms }) => rooms)
    .filter((room) => path === room || path.startsWith(`${room}/`))
    .sort((one, other) => other.length - one.length)[0];
}

/** What is wrong with each arrow that runs sideways or up, or to or from a file without a room. */
export function wrongArrows(arrows: readonly Arrow[], floors: readonly Floor[] = FLOORS): string[] {
  const height = new Map(floors.flatMap(({ rooms }, floor) => rooms.map((room) => [room, floor] as const)));
  return arrows.flatMap(({ from, to }) => {
    const [one, other] = [roomOf(from, floors), roomOf(to, floors)];
    const arrow = `${from} → ${to}`;
    if (one === undefined || other === undefined)
      return [`${arrow}: ${one === undefined ? from : to} is in no room`];
    if (one === other) return [];
    const apart = APART[one];
    if (apart !== undefined && !apart.includes(to) && !apart.includes(other))
      return [`${arrow}: ${one} may not import ${other}, only ${apart.join(', ')}`];
    return height.get(one)! > height.get(other)! ? [] : [`${arrow}: ${one} may not import ${other}`];
  });
}

/** Each circle that arrows between files make, as the files of it in order; one per group of files that reach each other. */
export function circles(arrows: readonly Arrow[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of arrows) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push([...path.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}
