// Another draft than ifpp-draft1: other tags, other paths, another version. Each export stands for a file of
// shared/ifpp-draft1 that had to differ.

export const TOY_FILES = {
  'tags.ts': {
    TAG: {
      euiccDataBatch: 0xff70,
      bppRequest: 0xff71,
      bppBatch: 0xff72,
      profileLoadingReport: 0xff73,
      oneTimeKeyTbs: 0xff74,
      batchManifest: 0xff75,
      loadPackage: 0xff76,
      manifestRoot: 0xff77,
      manifestPage: 0xff78,
    },
  },
  'version.ts': { PROTOCOL_VERSION: 'toy-draft/v7.0.0', PATH_PREFIX: '/toy-draft', MODULE_VERSION: 1 },
} as const;
