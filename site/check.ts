import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a file of the site has that it must not have. */
export interface Finding {
  readonly file: string;
  readonly what: string;
}

/** Elements that make a browser ask for something; `a` asks only when somebody clicks. */
const LOADS =
  /<(?:link|script|img|iframe|source|video|audio|object|embed)\b[^>]*?\s(?:href|src|srcset|data)="([^"]*)"/g;
const LINKS = /<a\b[^>]*?\shref="([^"]*)"/g;
const IDS = /\sid="([^"]*)"/g;
const STYLE_ASKS = /url\(["']?((?:[a-z]+:)?\/\/[^"')]*)/g;
const SCRIPT_ASKS =
  /\b(?:fetch|import|Worker|EventSource|WebSocket|sendBeacon)\(\s*["'`]((?:https?|wss?):[^"'`]*)/g;
const OTHER_HOST = /^(?:[a-z][a-z0-9+.-]*:)?\/\//i;

/**
 * Every link and everything that a page loads leads to a file that there is, with its anchor, within the site; nothing is
 * loaded from another host, by a page, a style or a script.
 */
export function checkSite(folder: string): Finding[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
  const texts = new Map(
    files
      .filter((name) => /\.(?:html|css|js)$/.test(name))
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
  const ids = new Map<string, ReadonlySet<string>>();
  for (const [name, text] of texts)
    if (name.endsWith('.html'))
      ids.set(name, new Set([...text.matchAll(IDS)].map(([, id]) => unescaped(id!))));
  return [...texts].flatMap(([file, text]) => {
    const asked = file.endsWith('.html')
      ? askedByPage(text, (link) => wrongIn(folder, file, link, ids))
      : [...text.matchAll(file.endsWith('.css') ? STYLE_ASKS : SCRIPT_ASKS)].map(([, url]) => `asks ${url}`);
    return asked.map((what) => ({ file, what }));
  });
}

function askedByPage(text: string, wrong: (link: string) => string | undefined): string[] {
  const loaded = [...text.matchAll(LOADS)].map(([, target]) =>
    OTHER_HOST.test(target!) ? `loads ${target}` : target!.startsWith('data:') ? undefined : wrong(target!),
  );
  const linked = [...text.matchAll(LINKS)]
    .filter(([, target]) => !/^[a-z][a-z0-9+.-]*:/i.test(target!))
    .map(([, target]) => wrong(target!));
  return [...loaded, ...linked].filter((what) => what !== undefined);
}

const unescaped = (text: string) =>
  text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&');

/** What is wrong with a link from this file. */
function wrongIn(
  folder: string,
  file: string,
  link: string,
  ids: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  const [path = '', anchor] = unescaped(link).split('#');
  const bare = decodeURIComponent(path.split('?')[0]!);
  const joined =
    bare === '' ? file : bare.startsWith('/') ? bare.slice(1) : posix.join(posix.dirname(file), bare);
  const isFolder = joined === '' || joined === '.' || joined.endsWith('/');
  const target = isFolder ? posix.join(joined, 'index.html') : joined;
  if (!existsSync(join(folder, target))) return `leads to ${link}, which is not there`;
  if (anchor !== undefined && anchor !== '' && ids.get(target)?.has(decodeURIComponent(anchor)) !== true)
    return `leads to ${link}, and that page has no such anchor`;
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const findings = checkSite(process.argv[2]!);
  for (const { file, what } of findings) console.error(`${file} ${what}`);
  console.log(`${findings.length} links that lead nowhere or to another host`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
