/** Tells whether notifications are on: wanted here, and allowed by the browser. */

import { preferences } from '../preferences/preferences.js';
import { useValue } from '../ui/stored.js';
import { permission } from './permission.js';

export function useNotify(): boolean {
  return useValue(preferences).notify && permission() === 'granted';
}
