import type { Bytes } from '../codec/bytes.ts';
import { readTlvHeader, type Tlv, TlvReader } from '../codec/tlv.ts';
import { unlessRefused } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';
import {
  Certificate,
  decodeCertificate,
  MAX_CERTIFICATE,
  readSignatureAlgorithm,
  readValidity,
} from './certificate.ts';
import { readDefaultFalse, readOctetAlignedBits, readSerial } from './der.ts';
import { readText } from './name.ts';
import { OID, readOid } from './oids.ts';

/**
 * Certificates that one issuer makes one after the other, such as those of a production run of eUICCs, differ in few of their
 * octets. This reader remembers what it read and where those lie, holds the rest of the next certificate against it, octet by
 * octet, and decodes only what may differ:
 *
 * | varies | read by |
 * |---|---|
 * | serial number | `readSerial` |
 * | validity | `readValidity` |
 * | serialNumber of the subject: the EID | `readText` |
 * | coordinates of the public key | as octets |
 * | SubjectKeyIdentifier | as octets |
 * | signature | as ever |
 *
 * Tags and lengths are among what has to be the same, so that a certificate which is read this way is one that
 * `decodeCertificate` reads too, to the same end. Whatever differs otherwise, or is refused on the way, is read by that.
 */
export class CertificatesAlike {
  /** By the length of the TBSCertificate: a serial number is an octet shorter now and then. The newest comes last. */
  readonly #forms = new Map<number, CertificateForm>();

  /** As `decodeCertificate`. */
  decode(der: Bytes, refusedAs: StatusName): Certificate {
    const alike = this.#readAlike(der, refusedAs);
    if (alike !== undefined) return alike;
    const certificate = decodeCertificate(der, refusedAs);
    const { length } = certificate.tbs;
    this.#forms.delete(length);
    // of a copy: it is kept while what was read may be a view of much more
    this.#forms.set(length, new CertificateForm(decodeCertificate(Buffer.from(der), refusedAs)));
    if (this.#forms.size > FORMS) this.#forms.delete(this.#forms.keys().next().value!);
    return certificate;
  }

  #readAlike(der: Bytes, refusedAs: StatusName): Certificate | undefined {
    if (this.#forms.size === 0 || der.length > MAX_CERTIFICATE) return undefined;
    // what is refused is said by the whole reader, in its words
    return unlessRefused(() => {
      const outer = readTlvHeader(der);
      if (outer.tag !== 0x30 || outer.headerLength + outer.length !== der.length) return undefined;
      const tbs = readTlvHeader(der, outer.headerLength);
      const form = this.#forms.get(tbs.headerLength + tbs.length);
      return form?.isThatOf(der, outer.headerLength)
        ? form.read(der, outer.headerLength, refusedAs)
        : undefined;
    });
  }
}

const FORMS = 8;

/** Octets from one offset in a TBSCertificate up to another. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** An element, and the octets of its value that may differ. */
interface Place extends Stretch {
  readonly varies: Stretch;
}

interface Places {
  readonly serialNumber: Place;
  readonly validity: Place;
  readonly subject: Stretch;
  /** Undefined where the subject has no serialNumber. */
  readonly eid: (Place & { readonly attribute: number }) | undefined;
  readonly spki: Place;
  readonly keyId: Place | undefined;
}

/** A TBSCertificate that was read, and where others of its kind differ. */
class CertificateForm {
  readonly #tbs: Buffer;
  readonly #certificate: Certificate;
  readonly #places: Places;
  /** What lies between the places. */
  readonly #constant: readonly Stretch[];

  /** From a certificate that holds by itself. */
  constructor(certificate: Certificate) {
    this.#certificate = certificate;
    this.#tbs = Buffer.from(certificate.tbs);
    this.#places = placesIn(this.#tbs, certificate.curve.pointLength);
    const { serialNumber, validity, eid, spki, keyId } = this.#places;
    let at = 0;
    const constant: Stretch[] = [];
    for (const place of [serialNumber, validity, eid, spki, keyId]) {
      if (place === undefined) continue;
      constant.push({ from: at, to: place.varies.from });
      at = place.varies.to;
    }
    this.#constant = [...constant, { from: at, to: this.#tbs.length }];
  }

  /** Whether the TBSCertificate at this offset, which is as long, differs in nothing else. */
  isThatOf(der: Bytes, at: number): boolean {
    return this.#constant.every((stretch) => this.#isSame(stretch, der, at));
  }

  #isSame({ from, to }: Stretch, der: Bytes, at: number): boolean {
    return this.#tbs.compare(der, at + from, at + to, from, to) === 0;
  }

  /** The certificate whose TBSCertificate at this offset is of the form; what is refused may be so in other words. */
  read(der: Bytes, at: number, refusedAs: StatusName): Certificate {
    const { serialNumber, validity, subject, eid, spki, keyId } = this.#places;
    const octetsOf = ({ from, to }: Stretch) => der.subarray(at + from, at + to);
    const known = this.#certificate;
    const end = at + this.#tbs.length;
    const rest = new TlvReader(der.subarray(end));
    readSignatureAlgorithm(rest, refusedAs);
    const signatureValue = readOctetAlignedBits(rest, 'signatureValue');
    rest.end();
    // made within one second, or dated as one
    const { notBeforeMs, notAfterMs } = this.#isSame(validity, der, at)
      ? known
      : readValidity(new TlvReader(octetsOf(validity)));
    const attributes = [...known.subject.attributes];
    if (eid !== undefined)
      attributes[eid.attribute] = {
        type: OID.serialNumber,
        value: readText(new TlvReader(octetsOf(eid))),
      };
    return new Certificate(
      {
        raw: der,
        tbs: der.subarray(at, end),
        serialNumber: readSerial(new TlvReader(octetsOf(serialNumber)), 'serialNumber'),
        issuer: known.issuer,
        subject: { raw: octetsOf(subject), attributes },
        notBeforeMs,
        notAfterMs,
        spki: octetsOf(spki),
        extensions:
          keyId === undefined
            ? known.extensions
            : { ...known.extensions, subjectKeyIdentifier: octetsOf(keyId.varies) },
        signatureValue,
      },
      refusedAs,
    );
  }
}

/** Where what varies lies in a TBSCertificate that was read before, whose key has so many octets of a point. */
function placesIn(tbs: Bytes, pointLength: number): Places {
  const fields = new TlvReader(tbs).enter(0x30, 'tbsCertificate');
  fields.optional(0xa0);
  const serialNumber = placeOf(fields.expect(0x02, 'serialNumber'));
  fields.expect(0x30, 'signature');
  fields.expect(0x30, 'issuer');
  const validity = placeOf(fields.expect(0x30, 'validity'));
  const subject = fields.expect(0x30, 'subject');
  const key = placeOf(fields.expect(0x30, 'subjectPublicKeyInfo'));
  // behind the octet that says that the point is uncompressed
  const spki = { ...key, varies: { from: key.to - pointLength + 1, to: key.to } };
  let keyId: Place | undefined;
  while (fields.peek() !== undefined && keyId === undefined) {
    const element = fields.next();
    if (element.tag === 0xa3) keyId = keyIdIn(TlvReader.of(element).enter(0x30, 'extensions'));
  }
  return { serialNumber, validity, subject: placeOf(subject), eid: eidIn(subject), spki, keyId };
}

function placeOf({ offset, raw, value }: Tlv): Place {
  const to = offset + raw.length;
  return { from: offset, to, varies: { from: to - value.length, to } };
}

function eidIn(subject: Tlv): Places['eid'] {
  const names = TlvReader.of(subject);
  for (let attribute = 0; !names.done; ) {
    const set = names.enter(0x31, 'RelativeDistinguishedName');
    for (; !set.done; attribute++) {
      const fields = set.enter(0x30, 'AttributeTypeAndValue');
      if (readOid(fields.expect(0x06, 'type')) === OID.serialNumber)
        return { ...placeOf(fields.next('value')), attribute };
    }
  }
  return undefined;
}

function keyIdIn(extensions: TlvReader): Place | undefined {
  while (!extensions.done) {
    const extension = extensions.enter(0x30, 'Extension');
    if (readOid(extension.expect(0x06, 'extnID')) !== OID.subjectKeyIdentifier) continue;
    readDefaultFalse(extension);
    return placeOf(TlvReader.of(extension.expect(0x04, 'extnValue')).expect(0x04, 'subjectKeyIdentifier'));
  }
  return undefined;
}
