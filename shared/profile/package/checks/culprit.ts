import { Refusal } from '../../../errors.ts';
import { decodeAkaParameter } from '../aka-parameter.ts';
import { applicationInstances } from '../application-instance.ts';
import { inProfile } from '../element.ts';
import { decodeFile } from '../file.ts';
import { FIRST_FILE, isFilePe } from '../file-pes.ts';
import { fileSystemOf } from '../file-system.ts';
import { templateOid } from '../files.ts';
import { headerOf } from '../header.ts';
import { pinConfigurations } from '../pin-codes.ts';
import type { ProfileElement } from '../profile-element.ts';
import { pukConfigurations } from '../puk-codes.ts';
import { instanceAid, keyList } from '../security-domain.ts';

/** The PE that a refusal is about: the one at its offset, or where it has none the one that is refused in the same words. */
export function culprit(
  { offset, message }: Refusal,
  elements: readonly ProfileElement[],
): ProfileElement | undefined {
  return offset === undefined
    ? elements.find((element) => readings(element).some((read) => refusalOf(read) === message))
    : elements.find((element) => element.offset <= offset && offset < element.offset + element.raw.length);
}

function refusalOf(read: () => unknown): string | undefined {
  try {
    inProfile(read);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

/** All that this server reads in a PE. */
function readings(element: ProfileElement): readonly (() => unknown)[] {
  const { name, fields } = element;
  switch (name) {
    case 'header':
      return [() => headerOf({ elements: [element] })];
    case 'pinCodes':
      return [() => pinConfigurations(fields)];
    case 'pukCodes':
      return [() => pukConfigurations(fields)];
    case 'akaParameter':
      return [() => decodeAkaParameter(fields)];
    case 'securityDomain':
      return [() => instanceAid(fields), () => keyList(fields), () => applicationInstances(element)];
    case 'application':
      return [() => applicationInstances(element)];
    case 'genericFileManagement':
      return [() => fileSystemOf({ elements: [element] }).files.map(({ view }) => view)];
    default:
      return isFilePe(name)
        ? [() => templateOid(fields), ...fields.slice(FIRST_FILE).map((field) => () => decodeFile(field))]
        : [];
  }
}
