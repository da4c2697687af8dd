import type { Bytes } from '../../../codec/bytes.ts';
import { blank } from '../ef/blank.ts';
import { decodeImsIdentity, encodeImsIdentity, saysImsIdentity } from '../ef/ims-identity.ts';
import { fileImage, fileRecords } from '../files.ts';
import { listInput, type Parameter, type ParameterValue, refuseParameter, textInput } from '../parameter.ts';
import { fileParameter } from './file-parameter.ts';

const MAX_IDENTITY = 255;
/** As nearly every identity is: printable ASCII, of which an octet is a character. */
const PLAIN = /^[!-~]{1,255}$/;

function identityInput(name: string, value: ParameterValue): string {
  const identity = textInput(name, value);
  if (PLAIN.test(identity)) return identity;
  if (identity === '' || Buffer.byteLength(identity) > MAX_IDENTITY || /[\s\p{Cc}]/u.test(identity)) {
    refuseParameter(name, `must have 1 to ${MAX_IDENTITY} octets and no white space`);
  }
  return identity;
}

function filled(content: Bytes, size: number): Bytes {
  const file = blank(size);
  file.set(content);
  return file;
}

function identityFile(name: 'impi' | 'domain'): Parameter {
  return fileParameter({
    name,
    pes: ['isim'],
    file: `ef-${name}`,
    parse: (value) => identityInput(name, value),
    encode(identity, view) {
      const content = encodeImsIdentity(identity);
      return content.length < (view.size ?? 0) ? filled(content, view.size!) : content;
    },
    decode: (view) => decodeImsIdentity(fileImage(view)),
    text: (identity) => identity,
    says: (content, identity) => saysImsIdentity(content, identity),
  });
}

export const impi = identityFile('impi');
export const domain = identityFile('domain');

/** EF.IMPU: one public identity a record, in order; records that are left are unused. */
export const impu = fileParameter<readonly string[]>({
  name: 'impu',
  pes: ['isim'],
  file: 'ef-impu',
  parse(value) {
    if (typeof value === 'string' && PLAIN.test(value) && !value.includes(';')) return [value];
    const identities = listInput('impu', value).map((identity) => identityInput('impu', identity));
    return identities.length === 0 ? refuseParameter('impu', 'must have at least one identity') : identities;
  },
  encode(identities, view) {
    const length = view.recordLength ?? refuseParameter('impu', 'the file has no record length');
    const file = blank(Math.max(identities.length * length, view.size ?? 0));
    for (let i = 0; i < identities.length; i++) {
      const content = encodeImsIdentity(identities[i]!);
      if (content.length > length)
        refuseParameter('impu', `an identity does not fit a record of ${length} octets`);
      file.set(content, i * length);
    }
    return file;
  },
  decode: (view) =>
    fileRecords(view)
      .map(decodeImsIdentity)
      .filter((identity) => identity !== '')
      .join(';'),
  text: (identities) => identities.join(';'),
  says(content, identities, { recordLength = content.length }) {
    if (content.length < identities.length * recordLength) return false;
    for (let i = 0, at = 0; at < content.length; i++, at += recordLength) {
      const identity = identities[i];
      const isRight = identity === undefined ? content[at] === 0xff : saysImsIdentity(content, identity, at);
      if (!isRight) return false;
    }
    return true;
  },
});
