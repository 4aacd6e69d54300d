"""`python -m bench`."""

from bench.run import main

try:
    raise SystemExit(main())
except KeyboardInterrupt:
    raise SystemExit(130) from None
