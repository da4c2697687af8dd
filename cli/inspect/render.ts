import { printable } from '../output/table.ts';
import type { Artefact } from './artefact.ts';
import type { Field } from './shape.ts';

const SHOWN_CHARACTERS = 96;

/** An artefact as an indented list: offset, length, tag, name, value. Long values are cut; --json has them whole. */
export function renderArtefact({ title, length, fields, findings }: Artefact): string {
  const lines = [`${title}, ${length} octets`, '', ' offset  length  tag     field'];
  for (const field of fields) renderField(field, 0, lines);
  if (findings.length > 0) lines.push('');
  for (const { severity, message, offset } of findings)
    lines.push(`${severity}: ${printable(message)}${offset === undefined ? '' : ` (offset ${offset})`}`);
  return lines.join('\n');
}

function renderField(
  { name, tag, offset, length, value, fields }: Field,
  depth: number,
  lines: string[],
): void {
  const place = `${String(offset).padStart(7)} ${String(length).padStart(7)}  ${tag.padEnd(6)}`;
  const text = value === undefined ? '' : `  ${shortened(printable(String(value)))}`;
  lines.push(`${place}  ${'  '.repeat(depth)}${name}${text}`);
  for (const child of fields ?? []) renderField(child, depth + 1, lines);
}

function shortened(text: string): string {
  return text.length <= SHOWN_CHARACTERS
    ? text
    : `${text.slice(0, SHOWN_CHARACTERS)}… (${text.length} characters)`;
}
