// The counterparts of the SM-DPf for demos and tests: CI and EUM, soft eUICC, factory, device manufacturer, Operator.
// They share no code with the server but helpers on octets, so that an error of the server cannot cancel out.
//
// What the soft eUICC leaves out: gid1 and gid2 of profileOwner, the content of profile elements beyond ICCID, IMSI,
// services, K of Test Profiles and their order, SubCA chains for its own certificate, enterprise and RPM rules. After a power
// cut it waits for the same BPP, unless it is told to give up (installFailedDueToInterruption, 11).

export { CallbackServer, type CallbackServerOptions } from './callback-server.ts';
export { type Certificate, parseCertificate, registeredIdOf, subjectKeyIdentifier } from './certificate.ts';
export { completeEid, decodeIccid, encodeEid, encodeIccid, isValidEid } from './coding.ts';
export { ConnectionFailure, type ConnectionFailureKind, connectionFailure } from './connection-failure.ts';
export {
  CURVES,
  type CurveName,
  decodePrivateKeyPem,
  type EcKey,
  type EcPoint,
  encodePem,
  encodePrivateKeyPem,
  encodeSpki,
  generateKey,
  keyOf,
} from './curve.ts';
export { DeviceMaker, FieldDevice } from './device-maker.ts';
export { storeDataApdus } from './euicc/apdu.ts';
export { BPP_COMMAND, ERROR_REASON } from './euicc/fault.ts';
export { type EuiccFaults, type EuiccOptions, NoAnswer, SoftEuicc } from './euicc.ts';
export {
  DEFAULT_FEATURES,
  type EuiccFeatures,
  encodeEuiccInfo2,
  type UiccCapability,
} from './euicc-info2.ts';
export { type PersonalisedEuicc, type PersonalisedKey, SimEum } from './eum.ts';
export { EumClient } from './eum-client.ts';
export { connectedBy, open as openRequest, retryAfterMs } from './exchange.ts';
export {
  type CardReader,
  Factory,
  type FactoryOptions,
  FactoryUnplugged,
  type LoadingOutcome,
} from './factory.ts';
export {
  ASKED_AGAIN_LIMIT,
  type ClientOptions,
  executed,
  type FunctionAnswer,
  FunctionClient,
  INLINE_LIMIT,
  type JsonObject,
  type SentFile,
  type TlsIdentity,
} from './http.ts';
export * from './ifpp-draft1.ts';
export { LinkRefused } from './link-refused.ts';
export { Operator, type ProfileOrder } from './operator.ts';
export { hybridOutputKey, openRows } from './output-rows.ts';
export { type PublicKeySource, publicKeyOfCsr, SimCi, SimEumCa } from './pki.ts';
export { segmentBpp } from './segmentation.ts';
export { verifyCallback } from './signed-callback.ts';
export { generateOneTimeKey, type OneTimeKeyPair, publicOctets, SUITES, type SuiteName } from './suite.ts';
export { SimError } from './tlv.ts';
export type { CrlScope } from './x509.ts';
