import { ifPresent, present } from '../present.ts';
import type { BppAnswer } from '../service/api/esbpp.ts';
import { writeBase64, writeId16 } from './fields.ts';
import { itemCodes } from './header.ts';
import type { FunctionAnswer } from './interface-function.ts';

/**
 * What requestBpp and getBppBatch answer; as DER the BppBatch (FF62), the BatchManifest (FF65) of a large one, or of one that
 * is too large for that its ManifestRoot (FF67) or the ManifestPage (FF68) that was asked for.
 */
export function bppAnswer(answer: BppAnswer): FunctionAnswer {
  const {
    requestId,
    state,
    items,
    processed,
    failed,
    keysSlowed,
    bppBatch,
    manifest,
    parts,
    manifestRoot,
    manifestPage,
    pages,
    longTermSignature,
  } = answer;
  const der = bppBatch ?? manifest ?? manifestRoot ?? manifestPage;
  return {
    members: {
      requestId: writeId16(requestId),
      state,
      items,
      processed,
      failed: failed.map((item) => ({ itemId: item.itemId, ...itemCodes(item) })),
      ...present({
        keysSlowed,
        bppBatch: ifPresent(bppBatch, writeBase64),
        manifest: ifPresent(manifest, writeBase64),
        manifestRoot: ifPresent(manifestRoot, writeBase64),
        manifestPage: ifPresent(manifestPage, writeBase64),
        pages,
        longTermSignature,
        parts: ifPresent(parts, (all) =>
          all.map(({ name, version, size, sha256 }) => ({ name, version, size, sha256 })),
        ),
      }),
    },
    warning: failed.length > 0,
    ...present({ der }),
    subject: { requestId },
  };
}
