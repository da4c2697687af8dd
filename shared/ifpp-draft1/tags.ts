/** The types of ifpp-draft1.asn that have a tag of their own, private class. */
export const TAG = {
  euiccDataBatch: 0xff60,
  bppRequest: 0xff61,
  bppBatch: 0xff62,
  profileLoadingReport: 0xff63,
  oneTimeKeyTbs: 0xff64,
  batchManifest: 0xff65,
  loadPackage: 0xff66,
  manifestRoot: 0xff67,
  manifestPage: 0xff68,
} as const;
