import { utf8 } from '../../codec/bytes.ts';
import { encodeAttributes } from '../../ledger/item.ts';
import type { PpkVault } from '../../vault/vault.ts';
import type { AuditHead } from '../api/admin.ts';
import { auditHead } from '../records/audit.ts';
import { PPK_AUDIT_HEADS, ppkAuditHead } from '../records/object-names.ts';

/**
 * The end of the log, kept in another store than the log itself: an entry of the PPK vault, which is in no backup, so that
 * a ledger that was cut off together with its head, or put back as it was, does not agree with it. The entry of a head
 * takes the place of that of the head before; one that a crash left behind is still true, and `smdpf verify` removes it.
 */
export class HeadAnchors {
  readonly #ppks: PpkVault;

  constructor(ppks: PpkVault) {
    this.#ppks = ppks;
  }

  /** Written before the former one goes, so that there is always one. */
  async replace(former: AuditHead, head: AuditHead): Promise<void> {
    await this.#put(head);
    if (former.sequence !== head.sequence) await this.#ppks.destroyPack(ppkAuditHead(former.sequence));
  }

  /** After a restore, whose line in the log tells what was lost: nothing beyond this head counts any more. */
  async reset(head: AuditHead): Promise<void> {
    for (const { sequence } of await this.all())
      if (sequence !== head.sequence) await this.#ppks.destroyPack(ppkAuditHead(sequence));
    if (head.sequence > 0) await this.#put(head);
  }

  /** Heads that the log has had, the lowest first. An entry that is damaged is a Fault. */
  async all(): Promise<AuditHead[]> {
    const heads: AuditHead[] = [];
    for await (const name of this.#ppks.names()) {
      if (!name.startsWith(PPK_AUDIT_HEADS)) continue;
      const header = await this.#ppks.header(name);
      if (header !== undefined) heads.push(auditHead.fromObject(name, header));
    }
    return heads.sort((one, other) => one.sequence - other.sequence);
  }

  async #put(head: AuditHead): Promise<void> {
    await this.#ppks.putPack(ppkAuditHead(head.sequence), utf8(encodeAttributes(auditHead.to(head))), []);
  }
}
