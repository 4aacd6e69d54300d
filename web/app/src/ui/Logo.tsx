import { useId } from 'react';

/** The mark: a bubble that speaks. The same as favicon.svg. */
export function Logo({ size = 32 }: { size?: number }) {
  const shade = useId();
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <defs>
        <linearGradient id={shade} x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stopColor="#149083" />
          <stop offset="1" stopColor="#085f56" />
        </linearGradient>
      </defs>
      <rect width="32" height="32" rx="9" fill={`url(#${shade})`} />
      <path
        fill="#fff"
        d="M16 6.8c5.6 0 9.9 3.6 9.9 8.3s-4.3 8.3-9.9 8.3c-1 0-2-.1-2.9-.3l-4.7 2.5c-.5.3-1-.2-.9-.7l.9-3.6c-1.5-1.6-2.3-3.7-2.3-6.2 0-4.7 4.3-8.3 9.9-8.3Z"
      />
      <g fill="#0b766b">
        <circle cx="11.5" cy="15.2" r="1.7" />
        <circle cx="16" cy="15.2" r="1.7" />
        <circle cx="20.5" cy="15.2" r="1.7" />
      </g>
    </svg>
  );
}
