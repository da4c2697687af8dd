import type { Bytes } from '../../../codec/bytes.ts';
import { decodeImsIdentity, encodeImsIdentity } from '../ef/ims-identity.ts';
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
  const file = Buffer.alloc(size, 0xff);
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
    const identities = listInput('impu', value).map((identity) => identityInput('impu', identity));
    return identities.length === 0 ? refuseParameter('impu', 'must have at least one identity') : identities;
  },
  encode(identities, view) {
    const length = view.recordLength ?? refuseParameter('impu', 'the file has no record length');
    const records = identities.map((identity) => {
      const content = encodeImsIdentity(identity);
      if (content.length > length)
        refuseParameter('impu', `an identity does not fit a record of ${length} octets`);
      return content;
    });
    const file = Buffer.alloc(Math.max(records.length * length, view.size ?? 0), 0xff);
    for (const [i, content] of records.entries()) file.set(content, i * length);
    return file;
  },
  decode: (view) =>
    fileRecords(view)
      .map(decodeImsIdentity)
      .filter((identity) => identity !== '')
      .join(';'),
  text: (identities) => identities.join(';'),
});
