import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globals: false,
    projects: [
      {
        test: {
          name: 'client',
          root: 'client',
          include: ['tests/**/*.test.ts'],
          // Each file cleans up behind itself; a process for each would take longer than the tests.
          isolate: false,
        },
      },
      {
        test: {
          name: 'react',
          root: 'react',
          include: ['tests/**/*.test.tsx'],
          environment: 'happy-dom',
        },
      },
      {
        test: {
          name: 'app',
          root: 'app',
          include: ['tests/**/*.test.{ts,tsx}'],
          environment: 'happy-dom',
        },
      },
    ],
  },
});
