import { type Bytes, equal, toHex } from '../../codec/bytes.ts';
import type { Tlv } from '../../codec/tlv.ts';
import { child, inProfile } from './element.ts';
import { fileName } from './file-pes.ts';
import { fileSystemOf } from './file-system.ts';
import { decodePackage, type PeName, type ProfileElement } from './profile-element.ts';

/** A PE that two packages do not have in common. Contents are not told, since they may be secret. */
export interface PeDifference {
  readonly change: 'added' | 'removed' | 'changed';
  readonly pe: PeName;
  /** Which of the PEs with this name, from 1. */
  readonly occurrence: number;
  /** Of the package that has the PE; of the second where both have it. */
  readonly identification: number | undefined;
  /** Components that differ: files by their names or paths, others by their tags in hexadecimal. */
  readonly components: readonly string[];
}

/** Compares PE by PE, those with one name in their order. */
export function diffPackages(before: Bytes, after: Bytes): readonly PeDifference[] {
  return inProfile(() => {
    const olds = numbered(decodePackage(before).elements);
    const news = numbered(decodePackage(after).elements);
    const removed = [...olds]
      .filter(([key]) => !news.has(key))
      .map(([, entry]) => difference('removed', entry, []));
    const others = [...news].flatMap(([key, entry]) => {
      const old = olds.get(key);
      if (old === undefined) return [difference('added', entry, [])];
      if (equal(old.element.raw, entry.element.raw)) return [];
      const components =
        entry.element.name === 'genericFileManagement'
          ? changedFiles(old.element, entry.element)
          : changedComponents(old.element, entry.element);
      return [difference('changed', entry, components)];
    });
    return [...removed, ...others];
  });
}

interface Numbered {
  readonly element: ProfileElement;
  readonly occurrence: number;
}

function numbered(elements: readonly ProfileElement[]): ReadonlyMap<string, Numbered> {
  const seen = new Map<number, number>();
  return new Map(
    elements.map((element) => {
      const occurrence = (seen.get(element.tag) ?? 0) + 1;
      seen.set(element.tag, occurrence);
      return [`${element.tag}/${occurrence}`, { element, occurrence }];
    }),
  );
}

function difference(
  change: PeDifference['change'],
  { element, occurrence }: Numbered,
  components: readonly string[],
): PeDifference {
  return { change, pe: element.name, occurrence, identification: element.identification, components };
}

function changedComponents(old: ProfileElement, now: ProfileElement): readonly string[] {
  const tags = [...new Set([...old.fields, ...now.fields].map(({ tag }) => tag))];
  const same = (a: Tlv | undefined, b: Tlv | undefined) =>
    a !== undefined && b !== undefined && equal(a.raw, b.raw);
  return tags
    .filter((tag) => !same(child(old.fields, tag), child(now.fields, tag)))
    .map((tag) => fileName(now.name, tag) ?? tag.toString(16).toUpperCase());
}

/** Files of two PE-GenericFileManagement that differ, by their paths; where none does, the PE's components. */
function changedFiles(old: ProfileElement, now: ProfileElement): readonly string[] {
  const filesOf = (element: ProfileElement) =>
    new Map(
      fileSystemOf({ elements: [element] }).files.map(({ path, nth, element: create, fills }) => [
        path ?? `createFCP ${nth}`,
        toHex(Buffer.concat([create!.raw, ...fills.flatMap((fill) => fill?.item.raw ?? [])])),
      ]),
    );
  const [olds, news] = [filesOf(old), filesOf(now)];
  const paths = [...new Set([...olds.keys(), ...news.keys()])];
  const changed = paths.filter((path) => olds.get(path) !== news.get(path));
  return changed.length > 0 ? changed : changedComponents(old, now);
}
