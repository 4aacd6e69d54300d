/** The picture of an empty place: bubbles that wait for a conversation. */
export function Bubbles({ size = 160 }: { size?: number }) {
  return (
    <svg
      className="bubbles"
      width={size}
      height={size * 0.75}
      viewBox="0 0 160 120"
      fill="none"
      aria-hidden="true"
    >
      <path
        className="bubbles__back"
        d="M62 14h66a18 18 0 0 1 18 18v24a18 18 0 0 1-18 18h-4l1 13c0 2-2 3-4 2L104 74H62a18 18 0 0 1-18-18V32a18 18 0 0 1 18-18Z"
      />
      <rect className="bubbles__line" x="62" y="32" width="64" height="7" rx="3.5" />
      <rect className="bubbles__line" x="62" y="48" width="40" height="7" rx="3.5" />
      <path
        className="bubbles__front"
        d="M32 56h46a16 16 0 0 1 16 16v14a16 16 0 0 1-16 16H48L32 113c-2 1-4 0-4-2v-9.5A16 16 0 0 1 16 86V72a16 16 0 0 1 16-16Z"
      />
      <circle className="bubbles__dot" cx="41" cy="79" r="4" />
      <circle className="bubbles__dot" cx="55" cy="79" r="4" />
      <circle className="bubbles__dot" cx="69" cy="79" r="4" />
    </svg>
  );
}
