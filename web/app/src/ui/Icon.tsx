/** The page's icons: strokes on a 24 × 24 grid, in the colour of the text. Always decoration. */

const PATHS = {
  alert: 'M12 8v4.5M12 16h.01M12 3.5 2.8 19.5h18.4L12 3.5Z',
  back: 'm14.5 5-7 7 7 7',
  bell: 'M6 9a6 6 0 1 1 12 0c0 5 2 6.5 2 6.5H4S6 14 6 9ZM10 19.5a2.2 2.2 0 0 0 4 0',
  bellOff:
    'M8.3 4.3A6 6 0 0 1 18 9c0 2 .3 3.4.7 4.4M20 15.5H4S6 14 6 9c0-.5.1-1 .2-1.5M10 19.5a2.2 2.2 0 0 0 4 0M3 3l18 18',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  checks: 'm1.5 12.5 4.5 4.5L15.5 7.5M11 16l1 1 9.5-9.5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3 2',
  close: 'M6 6l12 12M18 6 6 18',
  down: 'm5 9 7 7 7-7',
  globe:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3.5 9.5h17M3.5 14.5h17M12 3c-5.3 5-5.3 13 0 18 5.3-5 5.3-13 0-18Z',
  leave: 'M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h10m0 0-3.5-3.5M20 12l-3.5 3.5',
  people:
    'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5c0-3.3 2.9-5 6.5-5s6.5 1.7 6.5 5M15.5 4.8a3.5 3.5 0 0 1 0 6.4M18 14.9c2.2.7 3.5 2.2 3.5 4.6',
  plus: 'M12 5v14M5 12h14',
  removePerson:
    'M9.5 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM3 19.5c0-3.3 2.9-5 6.5-5s6.5 1.7 6.5 5M15.5 9.5H21',
  retry: 'M20 11.5A8 8 0 1 0 18.2 17M20 5v6.5h-6.5',
  search: 'M10.8 17.5a6.7 6.7 0 1 0 0-13.4 6.7 6.7 0 0 0 0 13.4ZM20 20l-4.4-4.4',
  send: 'M4.5 12 3.3 4.5 21 12 3.3 19.5 4.5 12Zm0 0H12',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l1 12.5h8L17 7M10 11v5M14 11v5',
  wifiOff:
    'M3 3l18 18M5 12.5A10 10 0 0 1 9 10M2 8.8a15 15 0 0 1 4.5-2.7M10.5 5a15 15 0 0 1 11.5 3.8M14.5 10.3a10 10 0 0 1 4.5 2.2M8.5 16a5 5 0 0 1 7 0M12 19.5h.01',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      className={`icon icon--${name}`}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
