import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { siteFiles } from './site-files.ts';

/** One file of the built site. */
export interface SiteFile {
  readonly type: string;
  readonly content: Bytes;
  /** The same, compressed, where that is worth it. */
  readonly gzip?: Bytes;
  /** The name has a hash of the content: it never changes. */
  readonly immutable: boolean;
}

/** By URL path. */
export type Site = ReadonlyMap<string, SiteFile>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/** Fonts and pictures are compressed already. */
const COMPRESSED = /^(?:font|image\/png)/;

/**
 * The built files, read once: a request names one of them or none, and no path of a request ever reaches the file
 * system. Undefined where they are not built.
 */
export async function readSite(folder?: string): Promise<Site | undefined> {
  const site = new Map<string, SiteFile>();
  for (const [path, content] of await siteFiles(folder)) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    site.set(path, {
      type,
      content,
      ...(!COMPRESSED.test(type) && { gzip: gzipSync(content) }),
      immutable: path.startsWith('/assets/'),
    });
  }
  const index = site.get('/index.html');
  if (index === undefined) return undefined;
  return site.set('/', index);
}

/** What stands in the place of the pages where nobody has built them. */
export const NOT_BUILT: SiteFile = {
  type: 'text/html; charset=utf-8',
  content: Buffer.from(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>SM-DPf console</title></head><body>' +
      '<h1>The console is not built</h1><p>Run <code>npm run console:build</code> in the project (it takes about a minute), ' +
      'and start the server again.</p></body></html>',
  ),
  immutable: false,
};
