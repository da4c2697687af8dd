import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { parse } from 'yaml';
import { escaped, mappedLinks } from './markdown.ts';
import { type OpenApi, REFERENCE, referencePages } from './openapi.ts';
import { GROUPS, PAGES } from './readers.ts';

const ROOT = join(import.meta.dirname, '..');
export const STAGED = join(import.meta.dirname, 'staged');
const OPENAPI = 'shared/ifpp-draft1/openapi.yaml';
const EVIDENCE = 'evidence/out/index.md';

/** What of the repository is shown as a page of text where a document links to it: the base of such links. */
export const SOURCE = 'source';

/**
 * Writes what VitePress makes the site of: the documents in folders by reader, the reference made of the OpenAPI file, the
 * evidence, and each file or folder of the sources that one of them links to. So every link stays within the site.
 */
export function stage(): void {
  rmSync(STAGED, { recursive: true, force: true });
  mkdirSync(STAGED, { recursive: true });
  const sources = new Set<string>();
  for (const [document, page] of PAGES) writeDocument(document, page, sources);
  for (const [page, text] of referencePages(parse(read(OPENAPI)) as OpenApi)) write(page, escaped(text));
  write(EVIDENCE_PAGE, escaped(existsSync(join(ROOT, EVIDENCE)) ? read(EVIDENCE) : NO_EVIDENCE));
  for (const path of sources) writeSource(path);
  mkdirSync(join(STAGED, 'public'), { recursive: true });
  cpSync(join(ROOT, OPENAPI), join(STAGED, 'public/openapi.yaml'));
}

export const EVIDENCE_PAGE = 'auditors/evidence';

const NO_EVIDENCE = `# Evidence

For auditors: which requirement is shown by which tests, and what became of them.

These pages were made where the tests had not run. \`npm run evidence\` runs them, and \`npm run docs\` afterwards shows here what
it found.
`;

/** The sidebar: titles as the documents have them. */
export function sidebar(): { text: string; collapsed: boolean; items: { text: string; link: string }[] }[] {
  return GROUPS.map(({ folder, title, documents }) => ({
    text: title,
    collapsed: false,
    items: [
      ...documents.map((document) => ({ text: titleOf(read(document)), link: `/${PAGES.get(document)}` })),
      ...(folder === 'integrators' ? [{ text: 'Reference of the interface', link: `/${REFERENCE}/` }] : []),
      ...(folder === 'auditors' ? [{ text: 'Evidence', link: `/${EVIDENCE_PAGE}` }] : []),
    ],
  }));
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const titleOf = (text: string) => /^# (.+)$/m.exec(text)?.[1] ?? '';

function write(page: string, text: string): void {
  const file = join(STAGED, `${page}.md`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function writeDocument(document: string, page: string, sources: Set<string>): void {
  const text = mappedLinks(read(document), (target) => {
    const path = posix.join(posix.dirname(document), target).replace(/\/$/, '');
    const to = PAGES.get(path) ?? (path === OPENAPI ? `${REFERENCE}/index` : undefined);
    if (to !== undefined) return `${between(page, to)}.md`;
    if (extname(path) === '.png') {
      const image = join(STAGED, dirname(page), posix.basename(path));
      mkdirSync(dirname(image), { recursive: true });
      cpSync(join(ROOT, path), image);
      return `./${posix.basename(path)}`;
    }
    sources.add(path);
    return `${between(page, sourcePage(path))}.md`;
  });
  write(page, escaped(text));
}

/** The way from one page to another, as a relative link. */
function between(from: string, to: string): string {
  const way = posix.relative(posix.dirname(from), to);
  return way.startsWith('.') ? way : `./${way}`;
}

const sourcePage = (path: string) => `${SOURCE}/${path.replace(/^\./, '').replaceAll('.', '-')}`;

/** A file of the sources as text, or what a folder has. Such pages are no part of the search. */
function writeSource(path: string): void {
  const isFolder = statSync(join(ROOT, path)).isDirectory();
  const body = isFolder
    ? readdirSync(join(ROOT, path))
        .filter((name) => name !== 'node_modules')
        .sort()
        .map((name) => `- \`${name}\``)
        .join('\n')
    : `${FENCE}${LANGUAGES[extname(path)] ?? 'txt'}\n${read(path).trimEnd()}\n${FENCE}`;
  const head = ['---', 'search: false', 'aside: false', '---', '', `# ${posix.basename(path)}`, ''];
  write(
    sourcePage(path),
    [...head, 'For whoever follows a document to the sources.', '', `\`${path}\``, '', body, ''].join('\n'),
  );
}

/** Longer than any that a source has in its comments. */
const FENCE = '``````';

const LANGUAGES: Readonly<Record<string, string>> = {
  '.ts': 'ts',
  '.py': 'python',
  '.yml': 'yaml',
  '.yaml': 'yaml',
  '.json': 'json',
  '.md': 'md',
  '.asn': 'asn1',
  '.sh': 'sh',
};
