import { elementRule, type RuleGroup, repeated, rule } from './rule.ts';

const hex = (reference: number) => reference.toString(16).toUpperCase().padStart(2, '0');

/** PUKs. */
export const pukRules: RuleGroup = {
  name: 'PUKs',
  rules: [
    rule({
      id: 'puk-reference-unique',
      clause: '8.5.2',
      text: 'No key reference stands twice in pukCodes.',
      wayOut: 'Leave one PUK for each reference.',
      subjects: ({ pukCodes }) => pukCodes,
      breach: ({ puks, element }) =>
        repeated(puks.map(({ keyReference }) => keyReference)).map((reference) => ({
          message: `PUK reference ${hex(reference)} is defined twice`,
          element,
        })),
    }),
    elementRule({
      id: 'puk-placement',
      clause: '8.5.2',
      text: 'pukCodes stands right behind the MF; in an IoT minimal profile, right behind the header.',
      wayOut: 'Move the PE pukCodes there.',
      of: ({ name }) => name === 'pukCodes',
      breach: (element, checked) => {
        const place = checked.placeOf(element);
        // a second one has a rule of its own
        if (checked.named('pukCodes')[0] !== element) return undefined;
        if (checked.iot)
          return checked.elements[place - 1]?.name === 'header'
            ? undefined
            : 'the PE pukCodes does not stand right behind the header';
        const mf = checked.system.directories.find(({ kind }) => kind === 'mf');
        return mf !== undefined && mf.place === place - 1
          ? undefined
          : 'the PE pukCodes does not stand right behind the MF';
      },
    }),
  ],
};
