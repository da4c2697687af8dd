import { toHex } from '../../../shared/codec/bytes.ts';
import { hexOption } from '../../input/options.ts';
import { UsageError } from '../../output/failure.ts';

/** A SubjectKeyIdentifier, 1 to 32 octets. */
export const keyIdOption = hexOption(1, 32);

/** The same as an argument, in lower-case hexadecimal without separators. */
export function normalised(keyId: string): string {
  try {
    return toHex(keyIdOption(keyId));
  } catch {
    throw new UsageError(
      'the key identifier is not 1 to 32 octets in hexadecimal',
      'smdpf trust list shows key identifiers.',
    );
  }
}
