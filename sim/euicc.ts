import { createHash } from 'node:crypto';
import { type Bytes, fromHex, toHex } from '../shared/codec/bytes.ts';
import { type Certificate, parseCertificate, registeredIdOf } from './certificate.ts';
import { checkDpPbChain, parseChain } from './chain.ts';
import { revokedSerials } from './crl.ts';
import { decodePrivateKeyPem } from './curve.ts';
import { StatusWordError, SW } from './euicc/apdu.ts';
import { CommandReader } from './euicc/command-reader.ts';
import { type ErrorReason, InstallationFault } from './euicc/fault.ts';
import { type InstallableProfile, Installation } from './euicc/installation.ts';
import { NOTIFICATION_EVENT, type ProfileMetadata } from './euicc/metadata.ts';
import { deleteProfile, disableProfile, enableProfile } from './euicc/profile-services.ts';
import { type FinalResult, signInstallationResult } from './euicc/results.ts';
import {
  type EuiccState,
  fileStore,
  type KeyRecord,
  memoryStore,
  oneTimeKeyOf,
  type StateStore,
  stateOf,
} from './euicc/state.ts';
import type { PersonalisedEuicc } from './eum.ts';
import { decodeLoadPackage, type LoadPackage } from './ifpp-draft1.ts';
import type { OneTimeKeyPair } from './suite.ts';
import { SimError } from './tlv.ts';

/** The longest LoadPackage taken: room for a chain of four certificates. */
const LOAD_PACKAGE_LIMIT = 8 * 1024;
const LOAD_PACKAGE_TAG = Uint8Array.of(0xff, 0x66);

/** The eUICC does not answer: it is damaged, or it lost power. */
export class NoAnswer extends SimError {}

/** Troubles to try a factory with. */
export interface EuiccFaults {
  /** Never answers. */
  damaged?: boolean;
  /** Octets that are free for profiles, whatever EuiccInfo2 said. */
  freeMemory?: number;
  /** Loses power once after this many APDUs from now; the answer to the last of them is lost. */
  powerCutAfterApdus?: number;
}

export interface EuiccOptions {
  /** JSON file that keeps the state; without it the state is in memory and survives `reset` only. */
  readonly file?: string;
  /** The eUICC's clock; without it validity periods are not checked. */
  readonly now?: () => Date;
  /** profileClass values accepted: 0 test, 1 provisioning, 2 operational. */
  readonly supportedClasses?: readonly number[];
  /** Metadata tags beyond SGP.22 v2, in their order. */
  readonly furtherMetadataTags?: readonly number[];
  /**
   * What becomes of a BPP that a power cut, or another LoadPackage, interrupted after its smdpSign had verified:
   * `resume` (unless told otherwise) keeps the key for the same BPP from its start; `fail` gives it up with
   * installFailedDueToInterruption (11) and erases the key. SGP.22 calls 11 temporary; what an IFPP eUICC does is open.
   */
  readonly interruption?: 'resume' | 'fail';
  readonly faults?: EuiccFaults;
}

interface Session {
  readonly loadPackage: LoadPackage;
  readonly key: KeyRecord;
  readonly smdpOid: string;
  readonly installation: Installation;
}

/**
 * A strict soft eUICC with FPA Services (ES10f over STORE DATA) and a few LPA Services.
 *
 * One-time keys: nothing happens to a key until smdpSign has verified with it. Then it is bound to that one BF23,
 * on disk; the installation's end, good or bad, erases it in the same write that stores its result. A BPP that a
 * power cut interrupts is forgotten but for that bond, so the same BPP can be sent again from its LoadPackage and
 * no other can take the key, unless this eUICC gives up what is interrupted. A LoadPackage for a transaction whose
 * result is still a pending notification is answered with that same BF37.
 */
export class SoftEuicc {
  faults: EuiccFaults;
  readonly #store: StateStore;
  readonly #options: EuiccOptions;
  #state: EuiccState;
  #powered = true;
  readonly #reader = new CommandReader((command, last) => this.#command(command, last));
  #session: Session | undefined;

  private constructor(store: StateStore, options: EuiccOptions) {
    this.#store = store;
    this.#options = options;
    this.#state = store.load();
    this.faults = { ...options.faults };
  }

  /** A new eUICC from what its EUM personalised. */
  static create(personalised: PersonalisedEuicc, options: EuiccOptions = {}): SoftEuicc {
    const state = stateOf(personalised);
    if (options.file === undefined) return new SoftEuicc(memoryStore(state), options);
    const store = fileStore(options.file);
    store.save(state);
    return new SoftEuicc(store, options);
  }

  /** An eUICC that was created before, from its file. */
  static open(file: string, options: Omit<EuiccOptions, 'file'> = {}): SoftEuicc {
    return new SoftEuicc(fileStore(file), { ...options, file });
  }

  get eid(): string {
    return this.#state.eid;
  }

  get euiccCert(): Bytes {
    return fromHex(this.#state.euiccCert);
  }

  /** Key identifiers of the one-time keys that are still there. */
  get unusedKeyIds(): Bytes[] {
    return this.#state.oneTimeKeys.map(({ keyId }) => fromHex(keyId));
  }

  get installedIccids(): string[] {
    return this.#state.profiles.map(({ iccid }) => iccid);
  }

  /** The Unprotected Profile Package as it was recovered, to compare octet by octet. */
  installedProfile(iccid: string): Bytes | undefined {
    const profile = this.#state.profiles.find((candidate) => candidate.iccid === iccid);
    return profile === undefined ? undefined : fromHex(profile.upp);
  }

  /** Power off and on: the saved state comes back, a BPP under way is forgotten. */
  reset(): void {
    this.#powered = true;
    this.#reader.reset();
    this.#session = undefined;
    this.#state = this.#store.load();
  }

  /** One command APDU; returns response data and status word. Throws NoAnswer, and nothing else. */
  transmit(apdu: Bytes): Bytes {
    if (this.faults.damaged || !this.#powered) throw new NoAnswer('the eUICC does not answer');
    const answer = this.#reader.exchange(apdu);
    if (this.faults.powerCutAfterApdus !== undefined && --this.faults.powerCutAfterApdus <= 0) {
      delete this.faults.powerCutAfterApdus;
      this.#powered = false;
      throw new NoAnswer('the eUICC lost power');
    }
    return answer;
  }

  #command(command: Bytes, last: boolean): Bytes {
    const isLoadPackage = command[0] === LOAD_PACKAGE_TAG[0] && command[1] === LOAD_PACKAGE_TAG[1];
    if (this.#state.fpaLocked || (!isLoadPackage && this.#session === undefined)) {
      throw new StatusWordError(SW.conditionsNotSatisfied, 'no FPA Service for this');
    }
    if (!isLoadPackage) return this.#segment(command, last);
    if (command.length > LOAD_PACKAGE_LIMIT) throw new StatusWordError(SW.notEnoughMemory, 'too long');
    return last ? this.#loadPackage(command) : new Uint8Array();
  }

  /**
   * LoadPackage (FF66): begins a BPP, or repeats the result of one that came to its end. SGP.22 has no codes for
   * what can be wrong here, so the result borrows them under initialiseSecureChannel: invalidSignature where the
   * chain or its curve leaves no key to verify smdpSign with, incorrectInputValues for a keyId that is unknown or
   * used up, invalidTransactionId for a key that is bound to another transaction.
   */
  #loadPackage(command: Bytes): Bytes {
    this.#session = undefined;
    const { loadPackage, chain, smdpOid } = readLoadPackage(command);
    const transactionId = toHex(loadPackage.transactionId);
    if (this.#options.interruption === 'fail') this.#giveUpInterrupted();
    const finished = this.#state.notifications.find(
      (notification) => notification.transactionId === transactionId,
    );
    if (finished !== undefined) return fromHex(finished.signed);
    const refuse = (reason: ErrorReason): Bytes => {
      const finalResult = { command: 'initialiseSecureChannel', reason } as const;
      return this.#conclude(loadPackage.transactionId, smdpOid, finalResult, undefined);
    };
    const dpPb = this.#trustedDpPb(loadPackage, chain);
    if (dpPb === undefined) return refuse('invalidSignature');
    const key = this.#state.oneTimeKeys.find(({ keyId }) => keyId === toHex(loadPackage.keyId));
    if (key === undefined) return refuse('incorrectInputValues');
    if (key.boundTo !== undefined && key.boundTo.transactionId !== transactionId) {
      return refuse('invalidTransactionId');
    }
    const oneTimeKey = oneTimeKeyOf(key);
    if (oneTimeKey.key.curve !== dpPb.publicKey.curve) return refuse('invalidSignature');
    const installation = this.#installation(loadPackage.transactionId, smdpOid, dpPb, key, oneTimeKey);
    this.#session = { loadPackage, key, smdpOid, installation };
    return new Uint8Array();
  }

  /**
   * Concludes every BPP that began and did not end. Which command was under way went with the power: the result says
   * loadProfileElements, where nearly all the time is spent.
   */
  #giveUpInterrupted(): void {
    for (const key of this.#state.oneTimeKeys) {
      if (key.boundTo?.smdpOid === undefined) continue;
      const { transactionId, smdpOid } = key.boundTo;
      const finalResult = {
        command: 'loadProfileElements',
        reason: 'installFailedDueToInterruption',
      } as const;
      this.#conclude(fromHex(transactionId), smdpOid, finalResult, key);
    }
  }

  #trustedDpPb(loadPackage: LoadPackage, chain: readonly Certificate[]): Certificate | undefined {
    try {
      return checkDpPbChain(loadPackage.chain.ciPkId, chain, {
        trustedCis: this.#trustedCis(),
        now: this.#options.now?.(),
        isRevoked: ({ serialNumber }) => this.#state.revokedSerials.includes(serialNumber),
      });
    } catch (error) {
      if (error instanceof SimError) return undefined;
      throw error;
    }
  }

  #trustedCis(): Certificate[] {
    return this.#state.trustedCis.map((der) => parseCertificate(fromHex(der)));
  }

  #installation(
    transactionId: Bytes,
    smdpOid: string,
    dpPb: Certificate,
    key: KeyRecord,
    oneTimeKey: OneTimeKeyPair,
  ): Installation {
    const { features } = this.#state;
    const used = this.#state.profiles.reduce((sum, { upp }) => sum + upp.length / 2, 0);
    return new Installation({
      eid: this.#state.eid,
      transactionId,
      dpPb,
      oneTimeKey,
      features,
      supportedClasses: this.#options.supportedClasses ?? [0, 1, 2],
      furtherMetadataTags: this.#options.furtherMetadataTags ?? [],
      freeMemory: this.faults.freeMemory ?? features.freeNonVolatileMemory - used,
      hasProfile: (iccid) => this.installedIccids.includes(iccid),
      hasOperationalProfile: () => this.#state.profiles.some(({ profileClass }) => profileClass === 2),
      bindKey: (request) => this.#bindKey(key, toHex(transactionId), smdpOid, request),
    });
  }

  #bindKey(key: KeyRecord, transactionId: string, smdpOid: string, request: Bytes): void {
    const requestHash = createHash('sha256').update(request).digest('hex');
    if (key.boundTo === undefined) {
      key.boundTo = { transactionId, requestHash, smdpOid };
      this.#store.save(this.#state);
    } else if (key.boundTo.requestHash !== requestHash) {
      throw new InstallationFault(
        'invalidTransactionId',
        'the key is bound to another BPP of this transaction',
      );
    }
  }

  /** A segment of the BPP, perhaps not yet whole; returns BF37 at the end or at the first fault. */
  #segment(command: Bytes, last: boolean): Bytes {
    const session = this.#session;
    if (session === undefined) throw new StatusWordError(SW.conditionsNotSatisfied, 'no BPP under way');
    const { installation, loadPackage, smdpOid, key } = session;
    try {
      if (!last) {
        installation.checkLength(command.length);
        return new Uint8Array();
      }
      const profile = installation.accept(command);
      return profile === undefined ? new Uint8Array() : this.#install(session, profile);
    } catch (error) {
      if (!(error instanceof InstallationFault)) throw error;
      this.#session = undefined;
      const { reason, pe } = error;
      const consumed = installation.command === 'initialiseSecureChannel' ? undefined : key;
      return this.#conclude(
        loadPackage.transactionId,
        smdpOid,
        { command: installation.command, reason, pe },
        consumed,
        installation.metadata,
      );
    }
  }

  #install({ loadPackage, key, smdpOid }: Session, { metadata, upp }: InstallableProfile): Bytes {
    const aidNumber = (this.#state.nextIsdp++).toString(16).padStart(4, '0');
    const isdpAid = `a0000005591010ffffffff8900${aidNumber}00`;
    const { iccid, profileClass, policyRules, notifications } = metadata;
    this.#state.profiles.push({
      iccid,
      isdpAid,
      enabled: false,
      profileClass,
      policyRules,
      notifications,
      upp: toHex(upp),
    });
    this.#session = undefined;
    const finalResult = { isdpAid: fromHex(isdpAid) };
    return this.#conclude(loadPackage.transactionId, smdpOid, finalResult, key, metadata);
  }

  /** Signs the result, erases the key it used up and saves both at once. */
  #conclude(
    transactionId: Bytes,
    smdpOid: string,
    finalResult: FinalResult,
    consumed: KeyRecord | undefined,
    metadata?: ProfileMetadata,
  ): Bytes {
    const seqNumber = this.#state.nextSeqNumber++;
    const address = metadata?.notifications.find(({ events }) =>
      events.includes(NOTIFICATION_EVENT.install),
    )?.address;
    const signed = signInstallationResult(
      {
        transactionId,
        notification: { seqNumber, event: 'install', address: address ?? '', iccid: metadata?.iccid },
        smdpOid,
        finalResult,
      },
      decodePrivateKeyPem(this.#state.keyPem),
    );
    this.#state.oneTimeKeys = this.#state.oneTimeKeys.filter((key) => key !== consumed);
    this.#state.notifications.push({
      seqNumber,
      signed: toHex(signed),
      ...(consumed === undefined ? {} : { transactionId: toHex(transactionId) }),
    });
    this.#store.save(this.#state);
    return signed;
  }

  /** GENS13: ends FPA Services for good; loads answer 6985 from here on. */
  lockFpa(): void {
    this.#state.fpaLocked = true;
    this.#session = undefined;
    this.#store.save(this.#state);
  }

  /** EUICCF03: erases every one-time key that no profile has used; returns how many. */
  deleteUnusedOneTimeKeys(): number {
    const count = this.#state.oneTimeKeys.length;
    this.#state.oneTimeKeys = [];
    this.#session = undefined;
    this.#store.save(this.#state);
    return count;
  }

  /** ES10b.LoadCRL in one piece: certificates that a trusted CI revokes are refused in later chains. */
  loadCrl(crl: Bytes): void {
    const serials = revokedSerials(crl, this.#trustedCis(), this.#options.now?.());
    this.#state.revokedSerials = [...new Set([...this.#state.revokedSerials, ...serials])];
    this.#store.save(this.#state);
  }

  /** ES10c.EnableProfile; the profile that was enabled before is disabled. */
  enableProfile(iccid: string): void {
    this.#requireLpa();
    enableProfile(this.#state, iccid);
    this.#store.save(this.#state);
  }

  /** ES10c.DisableProfile. */
  disableProfile(iccid: string): void {
    this.#requireLpa();
    disableProfile(this.#state, iccid);
    this.#store.save(this.#state);
  }

  /**
   * ES10c.DeleteProfile; returns the OtherSignedNotifications it made, one for each address that asked for them.
   * As an FPA Service it serves the return to stock of a device that still holds one-time keys (SGP.41 Annex A.4).
   */
  deleteProfile(iccid: string, service: 'lpa' | 'fpa' = 'lpa'): Bytes[] {
    if (service === 'lpa') this.#requireLpa();
    else if (this.#state.fpaLocked) throw new SimError('FPA Services are locked');
    const notifications = deleteProfile(this.#state, iccid);
    this.#store.save(this.#state);
    return notifications;
  }

  /** ES10b.RetrieveNotificationsList: every pending BF37 and OtherSignedNotification, oldest first. */
  retrieveNotifications(): { seqNumber: number; signed: Bytes }[] {
    this.#requireLpa();
    return this.#state.notifications.map(({ seqNumber, signed }) => ({ seqNumber, signed: fromHex(signed) }));
  }

  /** ES10b.RemoveNotificationFromList, after the SM-DPf took it. */
  removeNotification(seqNumber: number): void {
    this.#requireLpa();
    this.#state.notifications = this.#state.notifications.filter((other) => other.seqNumber !== seqNumber);
    this.#store.save(this.#state);
  }

  /** EUICCF04: no LPA Service while a one-time key remains. */
  #requireLpa(): void {
    if (this.#state.oneTimeKeys.length > 0)
      throw new SimError('LPA Services wait until no one-time key remains');
  }
}

/** A LoadPackage that cannot be read, or whose leaf names no OID for a result, is refused by status word alone. */
function readLoadPackage(command: Bytes): {
  loadPackage: LoadPackage;
  chain: readonly Certificate[];
  smdpOid: string;
} {
  try {
    const loadPackage = decodeLoadPackage(command);
    const chain = parseChain(loadPackage.chain.certificates);
    const smdpOid = chain[0] === undefined ? undefined : registeredIdOf(chain[0]);
    if (smdpOid === undefined) throw new SimError('CERT.DPpb has no registeredID');
    return { loadPackage, chain, smdpOid };
  } catch (error) {
    if (error instanceof SimError) throw new StatusWordError(SW.incorrectData, error.message);
    throw error;
  }
}
