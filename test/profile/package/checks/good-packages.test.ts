import { describe, expect, it } from 'vitest';
import { validatePackage } from '../../../../shared/profile/package/validate.ts';
import { createdMf, createdUsim, csim, iot, own } from '../support/good-packages.ts';

describe('a package that is as it should be has no finding', () => {
  it.each([
    ['USIM and ISIM', own],
    ['with a CSIM', csim],
    ['an IoT minimal profile', iot],
    ['a USIM by genericFileManagement', createdUsim],
    ['an MF by genericFileManagement', createdMf],
  ])('%s', (_, upp) => expect(validatePackage(upp)).toEqual([]));
});
