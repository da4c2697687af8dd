/** Version of our proposals, pre-SGP.42 (docs/pre-sgp42.md). A published SGP.42 replaces this folder. */
export const PROTOCOL_VERSION = 'ifpp-draft/v1.0.0';

/** Paths are `POST /ifpp-draft1/<interface>/<function>`. */
export const PATH_PREFIX = '/ifpp-draft1';

/** The only value of every `version [0]` field of ifpp-draft1.asn. */
export const MODULE_VERSION = 1;
