import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './theme/tokens.css';
import './theme/base.css';
import './theme/boot.css';
import { App } from './App.js';
import { Sessions } from './session/session.js';
import { ErrorBoundary } from './shell/ErrorBoundary.js';

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app.');

createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>
      <App sessions={new Sessions()} />
    </ErrorBoundary>
  </StrictMode>,
);
