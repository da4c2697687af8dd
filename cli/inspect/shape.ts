import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { readTlv, type Tlv, TlvReader, tagName } from '../../shared/codec/tlv.ts';
import { Refusal, refuse } from '../../shared/errors.ts';
import { present } from '../../shared/present.ts';

/** One element of an artefact as it is shown. */
export interface Field {
  readonly name: string;
  /** Hexadecimal, such as `BF36`. */
  readonly tag: string;
  /** Of the tag, from the first octet of the artefact. */
  readonly offset: number;
  /** Of tag, length and value, in octets. */
  readonly length: number;
  readonly value?: string | number;
  readonly fields?: readonly Field[];
}

/** How an element is called and read. An element that no shape names is shown by its tag. */
export interface Shape {
  readonly name: string;
  /** The value for people; it may refuse. Primitive elements without it are shown in hexadecimal. */
  readonly show?: (value: Bytes, element: Tlv) => string | number;
  /** Children in order; a tag that occurs more than once is matched from left to right. */
  readonly parts?: readonly Part[];
  /** The parts may come in any order. */
  readonly unordered?: boolean;
  /** Children that are all the same, numbered from 0. */
  readonly each?: Shape;
  /** The value is one DER element of this shape, as in an OCTET STRING; a function where shapes refer to later ones. */
  readonly holds?: () => Shape;
  /** Fields that are told from the element as a whole, after its children. */
  readonly more?: (element: Tlv) => readonly Field[];
}

/** A list of tags stands for a CHOICE, such as the two forms of time. */
export type Part = readonly [tag: number | readonly number[], shape: Shape];

/** Deeper nesting has no meaning in any artefact, and would take the stack of a reader. */
const DEPTH_LIMIT = 40;

/** Shows one element, which was read with its offset in the artefact. Refuses with path and offset. */
export function showElement(element: Tlv, shape: Shape, path = '', depth = 0): Field {
  const here = path === '' ? tagName(element.tag) : `${path}/${tagName(element.tag)}`;
  if (depth > DEPTH_LIMIT) refuse('tooLarge', 'the elements are nested too deeply', located(here, element));
  return locate(here, element, () => {
    const children = childrenOf(element, shape, path, depth);
    const further = shape.more?.(element) ?? [];
    const value = shape.show
      ? shape.show(element.value, element)
      : children === undefined
        ? toHex(element.value)
        : undefined;
    return {
      name: shape.name,
      tag: tagName(element.tag),
      offset: element.offset,
      length: element.raw.length,
      ...present({ value }),
      ...((children !== undefined || further.length > 0) && { fields: [...(children ?? []), ...further] }),
    };
  });
}

function childrenOf(element: Tlv, shape: Shape, path: string, depth: number): Field[] | undefined {
  const here = path === '' ? tagName(element.tag) : `${path}/${tagName(element.tag)}`;
  if (shape.holds !== undefined) {
    const inner = wholeElement(element.value, here, valueOffset(element));
    return [showElement(inner, shape.holds(), here, depth + 1)];
  }
  const isTree = shape.parts !== undefined || shape.each !== undefined;
  if (!isTree && (!element.constructed || shape.show !== undefined)) return undefined;
  const reader = TlvReader.of(element, path);
  const fields: Field[] = [];
  let next = 0;
  while (!reader.done) {
    const child = reader.next();
    let childShape: Shape = { name: tagName(child.tag) };
    if (shape.each !== undefined) {
      childShape = { ...shape.each, name: `${shape.each.name}[${fields.length}]` };
    } else {
      const at = (shape.parts ?? []).findIndex(
        ([tag], index) => index >= next && [tag].flat().includes(child.tag),
      );
      if (at >= 0) {
        childShape = shape.parts![at]![1];
        if (shape.unordered !== true) next = at + 1;
      }
    }
    fields.push(showElement(child, childShape, here, depth + 1));
  }
  return fields;
}

/** The one element that fills `octets`, which stand at `offset` of the artefact. */
export function wholeElement(octets: Bytes, path: string, offset: number): Tlv {
  const element = readTlv(octets, 0, path, offset);
  const rest = octets.length - element.raw.length;
  if (rest > 0)
    refuse('protocolFormat', `${rest} octets follow ${tagName(element.tag)} in ${path || 'the file'}`, {
      subjectIdentifier: path,
      offset: offset + element.raw.length,
    });
  return element;
}

/** Offset of the first value octet. */
export function valueOffset(element: Tlv): number {
  return element.offset + element.raw.length - element.value.length;
}

function located(path: string, element: Tlv) {
  return { subjectIdentifier: path, offset: element.offset };
}

/** Gives a refusal that knows no place the one where it arose. */
function locate<T>(path: string, element: Tlv, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Refusal) || error.offset !== undefined) throw error;
    throw new Refusal(error.code, `${error.message} at offset ${element.offset} in ${path}`, {
      ...located(path, element),
      cause: error,
    });
  }
}

/** A shape whose value is shown by `show`. */
export function leaf(name: string, show?: Shape['show']): Shape {
  return show === undefined ? { name } : { name, show };
}

export function tree(name: string, parts: readonly Part[]): Shape {
  return { name, parts };
}

export function listOf(name: string, each: Shape): Shape {
  return { name, each };
}

/** An OCTET STRING around one DER element. */
export function wrapped(name: string, holds: () => Shape): Shape {
  return { name, holds };
}
