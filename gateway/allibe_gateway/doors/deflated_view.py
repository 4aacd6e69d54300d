"""A view whose frames are compressed: once for all who see the same and can inflate it."""

from dataclasses import dataclass

from allibe_gateway.deflate import deflated
from allibe_gateway.fanout.audience import View
from allibe_gateway.fanout.entries import Entry


@dataclass(frozen=True, slots=True)
class DeflatedView:
    """Makes what a view makes, compressed where that is shorter."""

    view: View

    def encode(self, entry: Entry) -> bytes:
        """Return the entry as finished frames, for a group."""
        return deflated(self.view.encode(entry))

    def encode_for_one(self, entry: Entry) -> bytes:
        """Return it as the view does: 10,000 may want their replays at once."""
        return self.view.encode_for_one(entry)
