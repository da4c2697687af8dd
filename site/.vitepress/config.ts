import { slug } from '../markdown.ts';
import { sidebar } from '../stage.ts';

/** What a page may load: what lies beside it, on a server or in a folder, and nothing of any other host. */
const CONTENT_POLICY = "default-src 'self' file: data: 'unsafe-inline'";

export default {
  title: 'smdpf',
  description: 'An open SM-DPf: the server of GSMA SGP.41 In-Factory Profile Provisioning',
  srcDir: './staged',
  outDir: './dist',
  base: process.env.SMDPF_DOCS_BASE ?? '/',
  lang: 'en',
  head: [
    ['meta', { 'http-equiv': 'Content-Security-Policy', content: CONTENT_POLICY }],
    ['style', {}, '.vp-doc pre { overflow-x: auto }'],
  ],
  markdown: { anchor: { slugify: slug }, toc: { slugify: slug } },
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    sidebar: sidebar(),
  },
};
