"""Settings: environment variables `ALLIBE_…` to one frozen struct. Only `reading` reads them.

A secret, and a URL that may hold a password, may come from a file instead:
`ALLIBE_JWT_SECRET_FILE` names it. No secret has a default.
docs/settings.md is made from the descriptions in `fields`.

kinds    what values may be
fields   the settings one by one
reading  the environment in, settings out; and what may be shown of them
"""

from allibe_services.settings.fields import FROM_FILES, SECRETS, Settings
from allibe_services.settings.reading import PREFIX, load, shown, table

__all__ = ["FROM_FILES", "PREFIX", "SECRETS", "Settings", "load", "shown", "table"]
