/**
 * How many digits the MNC has in a country, where all its networks agree (ITU-T E.212 and its list of assigned codes).
 * Undefined for countries with both, such as 405, for test networks, and where we do not know.
 */
export function mncLengthOfMcc(mcc: string): 2 | 3 | undefined {
  if (THREE.has(mcc)) return 3;
  return mcc.startsWith('2') || TWO.has(mcc) ? 2 : undefined;
}

const list = (text: string) => new Set(text.split(' '));
/** North America, the Caribbean, Honduras, Argentina, Colombia, the Falkland Islands. */
const THREE = list(
  '302 310 311 312 313 314 315 316 330 334 338 342 344 346 348 352 354 356 358 360 365 366 376 708 722 732 750',
);
/** Beside Europe, whose codes begin with 2. */
const TWO = list('404 440 441 450 454 460 466 505 520 525 530 655 724');

/** Octet 4 of EF.AD (3GPP TS 31.102 section 4.2.18): 2 or 3; undefined for other values and where it is missing. */
export function mncLengthOfAd(image: Uint8Array | undefined): 2 | 3 | undefined {
  const length = image?.[3] === undefined ? undefined : image[3] & 0x0f;
  return length === 2 || length === 3 ? length : undefined;
}
