/**
 * Builds the page into the Python package that serves it. Beside each text file stands its `.gz`,
 * which the server hands out as it is: nothing is compressed per request.
 */
/// <reference types="node" />

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const PAGE = path('../../rooms-api/allibe_rooms_api/page');
const SERVER = '127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), gzipped()],
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: ['chrome123', 'edge123', 'firefox125', 'safari17.5'],
    // The page's policy has no 'unsafe-inline' and no data: but for images.
    assetsInlineLimit: 0,
    // Whose code is in it, and the licences' texts: served beside it, and read by scripts/sbom.py.
    license: { fileName: 'licences.json' },
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: [path('index.html'), path('worker/service-worker.ts')],
      // Browsers know a service worker by its address, so that has no hash.
      output: {
        entryFileNames: ({ name }) =>
          name === 'service-worker' ? 'service-worker.js' : 'assets/[name]-[hash].js',
      },
    },
  },
  server: {
    proxy: {
      '/api': `http://${SERVER}`,
      '/allibe-ws': { target: `ws://${SERVER}`, ws: true },
      '/ws': { target: `ws://${SERVER}`, ws: true },
    },
  },
});

function gzipped(): Plugin {
  return {
    name: 'gzipped',
    apply: 'build',
    writeBundle({ dir }) {
      if (dir === undefined) return;
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(css|html|js|svg)$/.test(name)) continue;
        writeFileSync(
          join(dir, `${name}.gz`),
          gzipSync(readFileSync(join(dir, name)), { level: 9 }),
        );
      }
    },
  };
}
