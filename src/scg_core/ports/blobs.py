"""Where contents of files lie: bytes under a key, put whole and read in pieces.

The engine streams outside transactions; what a file's size and digest are is committed after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class Blobs(Protocol):
    """Keeps bytes by key; a key is used for one content only, letters, digits and dots."""

    def put(self, key: str, chunks: Iterable[bytes], /) -> None:
        """Keep what the chunks hold, durable when this returns; memory stays flat.

        Laws:
            - ``what_was_put_is_read``
            - ``an_interrupted_put_leaves_nothing``
            - ``contents_are_apart``
            - ``two_contents_are_put_and_read_at_once``
            - ``a_large_content_is_kept_whole``

        Raises:
            ContentUnavailable: it cannot be kept now.
        """
        ...

    def read(self, key: str, start: int = 0, /) -> Iterator[bytes]:
        """The content from a byte on, in chunks of at most a mebibyte.

        Laws:
            - ``what_was_put_is_read``
            - ``reading_from_a_byte_gives_the_rest``
            - ``content_is_read_in_chunks``
            - ``a_content_that_is_deleted_while_it_is_read_is_not_cut_short``
            - ``reading_an_unknown_key_raises_not_found``

        Raises:
            NotFound: nothing is kept under this key.
            ContentUnavailable: it cannot be read now.
        """
        ...

    def delete(self, key: str, /) -> None:
        """Let go of a content; an unknown key is no error.

        Laws:
            - ``what_was_deleted_is_gone``
            - ``deleting_an_unknown_key_is_no_error``
        """
        ...
