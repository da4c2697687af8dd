import { type Bytes, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { decodePrivateKeyPem } from '../curve.ts';
import { SimError } from '../tlv.ts';
import { NOTIFICATION_EVENT, type NotificationEvent } from './metadata.ts';
import { signOtherNotification } from './results.ts';
import type { EuiccState, ProfileRecord } from './state.ts';

// ES10c on the state of an eUICC (SGP.22 §5.7.16 to §5.7.18). The caller saves the state.

const PPR1_NO_DISABLE = 1;
const PPR2_NO_DELETE = 2;

/** Enables a profile; the one that was enabled before is disabled. */
export function enableProfile(state: EuiccState, iccid: string): void {
  const profile = profileOf(state, iccid);
  const current = state.profiles.find(({ enabled }) => enabled);
  if (current === profile) throw new SimError('the profile is enabled');
  if (current !== undefined) disable(state, current);
  profile.enabled = true;
  notify(state, 'enable', profile);
}

export function disableProfile(state: EuiccState, iccid: string): void {
  const profile = profileOf(state, iccid);
  if (!profile.enabled) throw new SimError('the profile is not enabled');
  disable(state, profile);
}

/** Deletes a disabled profile; returns its OtherSignedNotifications, which are pending as well. */
export function deleteProfile(state: EuiccState, iccid: string): Bytes[] {
  const profile = profileOf(state, iccid);
  if (profile.enabled) throw new SimError('an enabled profile cannot be deleted');
  if (profile.policyRules.includes(PPR2_NO_DELETE)) throw new SimError('PPR2 forbids deleting the profile');
  state.profiles = state.profiles.filter((other) => other !== profile);
  return notify(state, 'delete', profile);
}

function profileOf(state: EuiccState, iccid: string): ProfileRecord {
  const profile = state.profiles.find((candidate) => candidate.iccid === iccid);
  if (profile === undefined) throw new SimError('no such profile');
  return profile;
}

function disable(state: EuiccState, profile: ProfileRecord): void {
  if (profile.policyRules.includes(PPR1_NO_DISABLE)) throw new SimError('PPR1 forbids disabling the profile');
  profile.enabled = false;
  notify(state, 'disable', profile);
}

/** One OtherSignedNotification for each address that asked for the event. */
function notify(state: EuiccState, event: NotificationEvent, profile: ProfileRecord): Bytes[] {
  const wanted = profile.notifications.filter(({ events }) => events.includes(NOTIFICATION_EVENT[event]));
  return wanted.map(({ address }) => {
    const seqNumber = state.nextSeqNumber++;
    const signed = signOtherNotification(
      { seqNumber, event, address, iccid: profile.iccid },
      decodePrivateKeyPem(state.keyPem),
      fromHex(state.euiccCert),
      fromHex(state.eumCert),
    );
    state.notifications.push({ seqNumber, signed: toHex(signed) });
    return signed;
  });
}
