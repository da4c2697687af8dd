import { type Bytes, concat } from '../codec/bytes.ts';
import type { Tlv } from '../codec/tlv.ts';
import { type BspKeys, BspOpener } from '../crypto/bsp.ts';
import type { BoundProfilePackage } from '../rsp/bound-profile-package.ts';
import { decodeReplaceSessionKeys } from '../rsp/replace-session-keys.ts';
import { ppkBspKeys } from './ppk.ts';

/** What the protected elements of a BoundProfilePackage say. The UPP is secret. */
export interface OpenedBpp {
  readonly mode: 'ppk' | 'session';
  readonly configureIsdp: Bytes;
  readonly storeMetadata: Bytes;
  readonly upp: Bytes;
}

/**
 * Opens a package with its session keys, as an audit or a test does: every MAC is verified, in order. A package of
 * ours can only be opened while its ephemeral key is at hand, so never after binding.
 */
export function openBoundProfilePackage(bpp: BoundProfilePackage, keys: BspKeys): OpenedBpp {
  const session = new BspOpener(keys);
  const configureIsdp = decryptAll(session, bpp.firstSequenceOf87);
  const storeMetadata = concat(...bpp.sequenceOf88.map((element) => session.verifyMacOnly(element)));
  if (bpp.secondSequenceOf87 === undefined) {
    return { mode: 'session', configureIsdp, storeMetadata, upp: decryptAll(session, bpp.sequenceOf86) };
  }
  const ppk = decodeReplaceSessionKeys(decryptAll(session, bpp.secondSequenceOf87));
  const upp = decryptAll(new BspOpener(ppkBspKeys(ppk)), bpp.sequenceOf86);
  return { mode: 'ppk', configureIsdp, storeMetadata, upp };
}

function decryptAll(opener: BspOpener, elements: readonly Tlv[]): Bytes {
  return concat(...elements.map((element) => opener.decrypt(element)));
}
