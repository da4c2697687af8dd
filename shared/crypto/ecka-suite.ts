import { type Bytes, toHex } from '../codec/bytes.ts';
import { type Curve, type EphemeralKey, equalX, xCoordinate } from './curve-type.ts';
import type { ChannelForm, Encapsulation, Suite } from './suite-type.ts';

/** Of a curve with coordinates of this many octets: AES-128, and nothing beside smdpOtpk (SGP.22 section 5.5.1). */
const eckaChannel = ({ pointLength }: Curve): ChannelForm => ({
  keyType: 0x88,
  keyTypeName: 'AES',
  keyLength: 16,
  smdpOtpkLength: pointLength,
});

/**
 * ECKA (BSI TR-03111 section 4.3, as SGP.22 section 2.6.4 uses it) on a curve that certificates are on too: a one-time
 * key is an uncompressed point, Z the x coordinate of an ephemeral key of the server times it. Randomness is the
 * ephemeral key's scalar.
 */
export function eckaSuite(curve: Curve): Suite {
  const suite: Suite = {
    name: curve.name,
    oid: curve.oid,
    curve,
    draft: false,
    quantumSafe: false,
    oneTimeKeyLength: curve.pointLength,
    recordedLength: curve.pointLength,
    channel: eckaChannel(curve),
    sharedSecretLength: curve.coordinateLength,

    // a point and its negative agree to the same secret, so they count as one key
    identityOf: (recorded) => toHex(xCoordinate(curve.publicKey(recorded))),

    oneTimeKey(octets) {
      const key = curve.publicKey(octets);
      let identity: string | undefined;
      return {
        suite,
        octets,
        identity() {
          identity ??= toHex(xCoordinate(key));
          return identity;
        },
        isKeyOf: (certificateKey) => equalX(key, certificateKey),
        encapsulate: (randomness) => agreeOnce(ephemeralOf(curve, randomness), (one) => one.agree(key)),
      };
    },
  };
  return suite;
}

const ephemeralOf = (curve: Curve, randomness: Bytes | undefined): EphemeralKey =>
  randomness === undefined ? curve.generateEphemeral() : curve.ephemeralFrom(randomness);

function agreeOnce(ephemeral: EphemeralKey, agree: (one: EphemeralKey) => Bytes): Encapsulation {
  try {
    return { smdpOtpk: ephemeral.point, sharedSecret: agree(ephemeral), sharedInfo: NOTHING };
  } finally {
    ephemeral.wipe();
  }
}

const NOTHING: Bytes = new Uint8Array(0);
