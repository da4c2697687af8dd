import { NAA_EXTENSIONS } from '../naa.ts';
import type { PeName } from '../profile-element.ts';
import { elementRule, type RuleGroup, rule } from './rule.ts';

const ONCE: readonly (readonly [PeName, string, string])[] = [
  ['mf', 'mf-once', '8.1'],
  ['iot', 'iot-once', '8.1'],
  ['pukCodes', 'puk-codes-once', '8.1, 8.5.2'],
  ['cd', 'cd-once', '8.3.4.2'],
  ['telecom', 'telecom-once', '8.3.4.3'],
  ['opt-iot', 'opt-iot-once', '8.3.4.8.2'],
];

/** How often a PE or a file may be there. */
export const cardinalityRules: RuleGroup = {
  name: 'Cardinality',
  rules: [
    ...ONCE.map(([pe, id, clause]) =>
      rule({
        id,
        clause,
        text: `There is at most one PE ${pe}.`,
        wayOut: `Join the PEs ${pe} to one.`,
        subjects: (checked) => [checked.named(pe)].filter(({ length }) => length > 0),
        breach: (found) =>
          found.slice(1).map((element) => ({ message: `the PE ${pe} occurs more than once`, element })),
      }),
    ),
    ...Object.entries(NAA_EXTENSIONS)
      .filter(([pe]) => pe !== 'opt-iot')
      .map(([pe, naa]) =>
        elementRule({
          id: `${pe}-per-${naa}`,
          clause: '8.1.3',
          text: `There is at most one PE ${pe} for a ${naa.toUpperCase()}.`,
          wayOut: `Join the PEs ${pe} to one, or move the second one to its own ${naa.toUpperCase()}.`,
          of: ({ name }) => name === pe,
          breach(element, checked) {
            const own = (other: typeof element) => checked.system.contexts[checked.placeOf(other)]?.own;
            const first = checked.named(element.name).find((other) => own(other) === own(element));
            return first === element ? undefined : `the ${naa.toUpperCase()} has another PE ${pe}`;
          },
        }),
      ),
    elementRule({
      id: 'cdma-per-csim',
      clause: '8.1.3',
      text: 'There is at most one cdmaParameter for a CSIM.',
      wayOut: 'Leave one cdmaParameter behind each CSIM.',
      of: ({ name }) => name === 'cdmaParameter',
      breach: (element, checked) => {
        const adfOf = (other: typeof element) => checked.system.contexts[checked.placeOf(other)]?.adf;
        const first = checked.named('cdmaParameter').find((other) => adfOf(other) === adfOf(element));
        return first === element ? undefined : 'the CSIM has another cdmaParameter';
      },
    }),
    rule({
      id: 'mf-one-method',
      clause: '11.2.4',
      text: 'PE-MF or genericFileManagement makes the MF, not both.',
      wayOut: 'Remove createFCP of 3F00, or the PE mf.',
      subjects: ({ system }) =>
        [system.directories.filter(({ kind }) => kind === 'mf')].filter(({ length }) => length > 0),
      breach: (mfs, checked) => {
        const pes = new Set(mfs.map((mf) => checked.elementOf(mf)?.name));
        return pes.size > 1 && pes.has('genericFileManagement')
          ? { message: `${[...pes].join(' and ')} both make the MF`, element: checked.elementOf(mfs[1]!) }
          : undefined;
      },
    }),
    rule({
      id: 'file-created-once',
      clause: 'ETSI TS 102 222, 6.3',
      text: 'No file is created twice: the eUICC answers that it exists.',
      wayOut: 'Fill the file where it is made first, and remove the second creation.',
      subjects: ({ system }) =>
        system.files.filter(
          ({ name, path, view }) => name === undefined && path !== undefined && view.created,
        ),
      breach: (file, checked) => {
        // an ADF has a rule of its own, and so has the MF
        if (file.directory !== undefined && file.directory.kind !== 'df') return undefined;
        const first = checked.system.files.find(({ path, view }) => path === file.path && view.created);
        return first === file
          ? undefined
          : {
              message: `${file.path} exists already: ${first?.label} of PE ${checked.elementOf(first!)?.identification}`,
              element: checked.elementOf(file),
              offset: file.element?.offset,
            };
      },
    }),
  ],
};
