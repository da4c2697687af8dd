import { type Bytes, concat } from '../codec/bytes.ts';
import { type Tlv, TlvReader, tagName } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';

/**
 * Fields of later versions. The module RSPDefinitions is EXTENSIBILITY IMPLIED (SGP.22 annex H): every SEQUENCE of it may
 * have fields that this version does not know, and real eUICCs and Operators send some. In what an eUICC signed
 * (ProfileInstallationResult, NotificationMetadata, OtherSignedNotification, EUICCInfo2) and in metadata on their way
 * to it, such a field is kept, shown and carried, and is never a reason to lose the rest. What is known stays strict: its
 * order, its length, that it occurs once. An alternative of a CHOICE that is not known has no meaning, and is refused.
 *
 * Our own messages (`ifpp-draft1/`) are another matter: they carry a version, and what it does not have is refused.
 */
export class ExtensibleReader extends TlvReader {
  readonly #known: ReadonlySet<number>;
  readonly #unknown: Tlv[];

  /** `known`: tags of the fields of this SEQUENCE. Others are passed over and added to `unknown`. */
  constructor(element: Tlv, parentPath: string, known: ReadonlySet<number>, unknown: Tlv[]) {
    super(element, parentPath);
    this.#known = known;
    this.#unknown = unknown;
  }

  override get done(): boolean {
    return this.peek() === undefined;
  }

  override peek(): Tlv | undefined {
    for (;;) {
      const element = super.peek();
      if (element === undefined || this.#known.has(element.tag)) return element;
      this.pass(element);
      this.#unknown.push(element);
    }
  }
}

/**
 * Fields that are to be written behind those of a SEQUENCE: whole TLVs, none of which has a field there. Refuses others by
 * `name`; undefined where there are none.
 */
export function checkAdditionalFields(
  fields: Bytes | undefined,
  known: ReadonlySet<number>,
  name = 'additionalFields',
): Bytes | undefined {
  const reader = new TlvReader(fields ?? Buffer.alloc(0), name);
  while (!reader.done) {
    const { tag } = reader.next();
    if (known.has(tag))
      refuse('metadataInvalid', `${name} has ${tagName(tag)}, which has a member of its own`);
  }
  return fields;
}

/** Fields that were passed over, to be written again: whole TLVs, one after the other. Undefined where there are none. */
export function additionalFieldsOf(unknown: readonly Tlv[]): Bytes | undefined {
  return unknown.length === 0 ? undefined : concat(...unknown.map(({ raw }) => raw));
}
