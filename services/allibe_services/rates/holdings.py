"""How many of something each key holds: here, and as others said, everywhere."""

from collections.abc import Mapping


class Holdings:
    """At most `most` for each key, of all processes together as far as known."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._here: dict[str, int] = {}
        self._elsewhere: dict[str, int] = {}
        self._changed: set[str] = set()

    def is_full(self, key: str) -> bool:
        """Tell whether one more would be too many; if so, others are asked anew before long."""
        full = self._here.get(key, 0) + self._elsewhere.get(key, 0) >= self._most
        if full and key in self._elsewhere:
            self._changed.add(key)
        return full

    def add(self, key: str) -> None:
        """Count one more, full or not."""
        self._here[key] = self._here.get(key, 0) + 1
        self._changed.add(key)

    def remove(self, key: str) -> None:
        """Count one less; every `add` is followed by one of these."""
        left = self._here[key] - 1
        if left:
            self._here[key] = left
        else:
            del self._here[key]
            self._elsewhere.pop(key, None)
        self._changed.add(key)

    def take_changes(self, *, all_of_them: bool) -> dict[str, int]:
        """Return the counts that others have to be told: those that changed, or all."""
        changed, self._changed = self._changed, set()
        if all_of_them:
            changed |= self._here.keys()
        return {key: self._here.get(key, 0) for key in changed}

    def learn(self, others: Mapping[str, int]) -> None:
        """Take what others hold; it is kept for keys that are held here."""
        for key, count in others.items():
            if key in self._here:
                self._elsewhere[key] = count

    def not_told(self, counts: Mapping[str, int]) -> None:
        """Put back what did not arrive; what is held no longer ends elsewhere by its lease."""
        self._changed |= counts.keys() & self._here.keys()
