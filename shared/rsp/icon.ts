import { type Bytes, equal } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import type { IconType } from './store-metadata.ts';

/** Pixels of either side (SGP.22 section 5.5.3, StoreMetadata: icon). */
const SIDE = 64;

/**
 * Refuses an icon that is not of its type or not 64 × 64 pixels, by its header alone: whether the rest of the image can
 * be shown is not looked at. eUICCs may look at the type and refuse the profile; devices show what they get.
 */
export function checkIcon(type: IconType, icon: Bytes): void {
  const size = type === 'png' ? pngSize(icon) : jpegSize(icon);
  const about = { subjectIdentifier: 'metadata.icon' };
  if (size === undefined) refuse('metadataInvalid', `the icon is no ${type}`, about);
  const [width, height] = size;
  if (width !== SIDE || height !== SIDE)
    refuse('metadataInvalid', `the icon has ${width} × ${height} pixels, not ${SIDE} × ${SIDE}`, about);
}

type Size = readonly [width: number, height: number];

/** The signature, then IHDR as the first chunk (PNG, W3C, sections 5.2 and 11.2.2). */
const PNG_START = Uint8Array.of(
  ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  ...[0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
);

function pngSize(icon: Bytes): Size | undefined {
  if (icon.length < PNG_START.length + 8 || !equal(icon.subarray(0, PNG_START.length), PNG_START))
    return undefined;
  const view = Buffer.from(icon.buffer, icon.byteOffset, icon.length);
  return [view.readUInt32BE(PNG_START.length), view.readUInt32BE(PNG_START.length + 4)];
}

const JPEG_START = Uint8Array.of(0xff, 0xd8, 0xff);
/** Start of frame: C0 to CF but DHT, JPG and DAC (ITU-T T.81, table B.1). */
const isStartOfFrame = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** Marker segments up to the first frame, whose header has precision, height and width (ITU-T T.81, B.2.2). */
function jpegSize(icon: Bytes): Size | undefined {
  if (!equal(icon.subarray(0, JPEG_START.length), JPEG_START)) return undefined;
  const view = Buffer.from(icon.buffer, icon.byteOffset, icon.length);
  for (let at = 2; at + 9 <= view.length; ) {
    if (view[at] !== 0xff) return undefined;
    const marker = view[at + 1]!;
    if (marker === 0xff) {
      // fill octets may precede a marker
      at += 1;
      continue;
    }
    if (isStartOfFrame(marker)) return [view.readUInt16BE(at + 7), view.readUInt16BE(at + 5)];
    const length = view.readUInt16BE(at + 2);
    if (length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}
