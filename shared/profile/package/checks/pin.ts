import type { PinConfiguration } from '../pin-codes.ts';
import type { CheckedPackage, PinContext } from './checked-package.ts';
import { type RuleGroup, repeated, rule } from './rule.ts';

const hex = (reference: number) => reference.toString(16).toUpperCase().padStart(2, '0');
const isGlobal = (reference: number) =>
  (reference >= 0x01 && reference <= 0x08) || (reference >= 0x0a && reference <= 0x0e);
const isLocal = (reference: number) => reference >= 0x81 && reference <= 0x88;
/** Administrative codes may be any octets; PINs are digits. */
const isPin = (reference: number) => reference <= 0x08 || isLocal(reference);

const contexts = ({ pinContexts }: CheckedPackage) => pinContexts;
const element = ({ element: pe }: PinContext) => pe;
const references = (pins: readonly PinConfiguration[]) => pins.map(({ keyReference }) => keyReference);
const list = (numbers: readonly number[]) => [...new Set(numbers)].map(hex).join(', ');

/** PINs and administrative codes. */
export const pinRules: RuleGroup = {
  name: 'PINs',
  rules: [
    rule({
      id: 'pin-codes-after-directory',
      clause: '8.5.1',
      text: 'A PE pinCodes follows the MF or the directory whose PINs it defines.',
      wayOut: 'Move the PE pinCodes behind the PE that makes its directory.',
      subjects: ({ pinContexts, system }) =>
        pinContexts.filter(({ place }) => !system.contexts[place]?.unknown),
      breach: ({ directory }) =>
        directory === undefined ? 'the PE pinCodes does not follow the MF or an ADF' : undefined,
      element,
    }),
    rule({
      id: 'pin-puk-defined',
      clause: '8.5.1',
      text: 'The PUK that unblocks a PIN is among the PUKs.',
      wayOut: 'Add the PUK to pukCodes, or leave unblockingPINReference out.',
      subjects: contexts,
      breach: ({ pins, element: pe }, { pukCodes }) => {
        const puks = new Set(pukCodes.flatMap((codes) => codes.puks.map(({ keyReference }) => keyReference)));
        const missing = pins.flatMap(({ unblockingPinReference: puk }) =>
          puk === undefined || puks.has(puk) ? [] : [puk],
        );
        return missing.map((puk) => ({ message: `PUK reference ${hex(puk)} is not defined`, element: pe }));
      },
    }),
    rule({
      id: 'pin-reference-unique',
      clause: '8.5.1',
      text: 'No key reference stands twice in a PE pinCodes.',
      wayOut: 'Leave one PIN for each reference.',
      subjects: contexts,
      breach: ({ pins, element: pe }) =>
        repeated(references(pins)).map((reference) => ({
          message: `PIN reference ${hex(reference)} is defined twice`,
          element: pe,
        })),
    }),
    rule({
      id: 'pin-scope-unmixed',
      clause: '8.5.1',
      text: 'A PE pinCodes has global references or local ones (81 to 88), not both.',
      wayOut: 'Put global PINs behind the MF and local ones behind their ADF or DF.',
      subjects: contexts,
      breach: ({ pins }) => {
        const all = references(pins);
        return all.some(isGlobal) && all.some(isLocal)
          ? `global references (${list(all.filter(isGlobal))}) and local ones (${list(all.filter(isLocal))}) stand together`
          : undefined;
      },
      element,
    }),
    rule({
      id: 'pin-global-in-mf',
      clause: '8.5.1',
      text: 'The PINs of the MF are global.',
      wayOut: 'Move local PINs (81 to 88) behind the ADF or DF that they protect.',
      subjects: ({ pinContexts }) => pinContexts.filter(({ directory }) => directory?.kind === 'mf'),
      breach: ({ pins }) => {
        const all = references(pins);
        // what is mixed has a rule of its own
        return all.some(isLocal) && !all.some(isGlobal)
          ? `the MF has local references: ${list(all.filter(isLocal))}`
          : undefined;
      },
      element,
    }),
    rule({
      id: 'pin-local-in-df',
      clause: '8.5.1',
      text: 'The PINs of an ADF or DF are local.',
      wayOut: 'Move global PINs and administrative codes (01 to 0E) behind the MF.',
      subjects: ({ pinContexts }) =>
        pinContexts.filter(({ directory }) => directory !== undefined && directory.kind !== 'mf'),
      breach: ({ pins, directory }) => {
        const all = references(pins);
        return all.some(isGlobal) && !all.some(isLocal)
          ? `${directory?.path ?? 'the ADF'} has global references: ${list(all.filter(isGlobal))}`
          : undefined;
      },
      element,
    }),
    rule({
      id: 'pin-codes-per-context',
      clause: '8.5.1',
      text: 'A directory has one PE pinCodes.',
      wayOut: 'Join the PEs pinCodes of the directory to one.',
      subjects: contexts,
      breach: ({ directory, element: pe }, { pinContexts }) => {
        const first = pinContexts.find((other) => other.directory === directory);
        return directory === undefined || first?.element === pe
          ? undefined
          : `${directory.path || 'the MF'} has another PE pinCodes`;
      },
      element,
    }),
    rule({
      id: 'retry-within-max',
      clause: '8.5.1, 8.5.2',
      level: 'warning',
      text: 'No more attempts are left to a PIN or PUK than it has at most: what happens then is not defined.',
      wayOut: 'Set the low nibble of maxNumOfAttemps-retryNumLeft to at most the high one.',
      subjects: (checked) => [
        ...checked.pinContexts.map(({ element: pe, pins }) => ({ pe, kind: 'PIN', codes: pins })),
        ...checked.pukCodes.map(({ element: pe, puks }) => ({ pe, kind: 'PUK', codes: puks })),
      ],
      breach: ({ pe, kind, codes }) =>
        codes
          .filter(({ attempts }) => (attempts & 0x0f) > attempts >>> 4)
          .map(({ keyReference, attempts }) => ({
            message: `${kind} ${hex(keyReference)} has ${attempts & 0x0f} of ${attempts >>> 4} attempts left`,
            element: pe,
          })),
    }),
    rule({
      id: 'pin-digits',
      clause: 'ETSI TS 102 221, 9.5.1',
      level: 'warning',
      text: 'A PIN has 4 to 8 digits, then FF.',
      wayOut: 'Give the PIN at least four digits: a device does not take fewer.',
      subjects: contexts,
      breach: ({ pins, element: pe }) =>
        pins
          .filter(({ keyReference }) => isPin(keyReference))
          .filter(({ pinValue }) => !/^[0-9]{4,8}\xff*$/.test(Buffer.from(pinValue).toString('latin1')))
          .map(({ keyReference }) => ({
            message: `PIN ${hex(keyReference)} is not 4 to 8 digits, FF padded`,
            element: pe,
          })),
    }),
  ],
};
