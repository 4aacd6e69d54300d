/** The page's service worker, built to `/service-worker.js`: notifications only, no caching. */

import { serve } from './serve.js';

declare const self: ServiceWorkerGlobalScope;

serve(self);
