"""The page must be there: it says itself what is packed into it."""

from tests.support.fixtures import built_page

__all__ = ["built_page"]
