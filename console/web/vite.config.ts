import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const own = (file: string) => fileURLToPath(new URL(`src/inspect/${file}`, import.meta.url));

// everything is a file of its own origin: nothing inline, so that the Content-Security-Policy needs no exception
export default defineConfig({
  base: '/',
  logLevel: 'warn',
  resolve: {
    // the describers of artefacts are those of `smdpf inspect`; these stand in for what a browser lacks
    alias: {
      'node:crypto': own('node-crypto.ts'),
      'node:buffer': own('node-buffer.ts'),
      'node:module': own('node-module.ts'),
      'node:fs/promises': own('node-files.ts'),
      'node:path': own('node-files.ts'),
    },
  },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4_000,
    rolldownOptions: {
      onLog: (level, log, tell) => {
        // 'use client' says something to servers that render, and nothing here
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') tell(level, log);
      },
    },
  },
});
