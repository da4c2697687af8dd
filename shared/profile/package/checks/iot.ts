import { elementRule, type RuleGroup, rule } from './rule.ts';

/** Full profiles and IoT minimal profiles. */
export const iotRules: RuleGroup = {
  name: 'IoT minimal profile',
  rules: [
    elementRule({
      id: 'full-without-iot-pe',
      clause: '7.4',
      text: 'A full profile has no PE iot and no PE opt-iot.',
      wayOut: 'Add iotOptions to the header, or use the PEs mf and usim.',
      of: (_, checked) => !checked.iot,
      breach: ({ name }) =>
        name === 'iot' || name === 'opt-iot' ? `the PE ${name} stands in a full profile` : undefined,
    }),
    rule({
      id: 'iot-needs-iot-pe',
      clause: '7.5',
      text: 'An IoT minimal profile has a PE iot.',
      wayOut: 'Add a PE iot, or remove iotOptions from the header.',
      subjects: (checked) => (checked.iot ? checked.elements.slice(0, 1) : []),
      breach: (_, checked) =>
        checked.named('iot').length > 0 ? undefined : 'the header has iotOptions, and there is no PE iot',
      element: (element) => element,
    }),
    elementRule({
      id: 'iot-without-mf',
      clause: '7.5',
      text: 'An IoT minimal profile has no PE mf.',
      wayOut: 'Remove the PE mf: the PE iot makes the MF.',
      of: (_, checked) => checked.iot,
      breach: ({ name }) => (name === 'mf' ? 'a PE mf stands in an IoT minimal profile' : undefined),
    }),
  ],
};
