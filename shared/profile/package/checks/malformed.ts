import type { Refusal } from '../../../errors.ts';
import type { Rule, RuleGroup } from './rule.ts';

/** A rule that the decoders hold: what breaks it cannot be read any further. */
interface DecodedRule extends Pick<Rule, 'id' | 'clause' | 'text' | 'wayOut'> {
  /** The refusal that says so. */
  readonly refusal: RegExp;
}

const DECODED: readonly DecodedRule[] = [
  {
    id: 'pe-identification-present',
    clause: '7.1',
    text: 'Every PE but the header has an identification.',
    wayOut: 'Number the PEs.',
    refusal: /does not begin with its PEHeader|has no identification$/,
  },
  {
    id: 'descriptor-length',
    clause: 'ETSI TS 102 222, 6.3.2.2',
    text: 'A file descriptor has two octets, or four with a record length.',
    wayOut: 'Write two octets, or four for a file with records.',
    refusal: /^a file descriptor has two or four octets/,
  },
  {
    id: 'one-fill-pattern',
    clause: 'ETSI TS 102 222, 6.3.2.2.2',
    text: 'A file has a fillPattern or a repeatPattern, not both.',
    wayOut: 'Leave the one that is meant.',
    refusal: /^a file has a fillPattern and a repeatPattern/,
  },
];

const held = ({ id, clause, text, wayOut }: DecodedRule): Rule => ({
  id,
  clause,
  level: 'error',
  text,
  wayOut,
  // where the package was decoded, it holds
  check: () => [],
});

/** Rules that are held before any other is looked at. */
export const decodedRules: RuleGroup = { name: 'Encoding', rules: DECODED.map(held) };

/** The rule that a refusal of the decoders stands for. */
export function decodedRule(refusal: Refusal): Rule | undefined {
  const found = DECODED.find((one) => one.refusal.test(refusal.message));
  return found && held(found);
}
