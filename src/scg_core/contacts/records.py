"""What contacts note for themselves: nothing here is shown to anybody."""

from __future__ import annotations

from scg_core.kernel.resource import Resource as _Resource
from scg_core.kernel.resource import attribute, resource


@resource("Contact Walk")
class Walk(_Resource):
    """How far a walk through a company's contacts has come: a derivation, a snapshot, a count.

    It goes from id to id, up to the greatest id there was when it began.
    """

    id: str = attribute("What is walked for.", hidden=True)
    after: str = attribute("The last id looked at.", hidden=True, default="")
    until: str = attribute("The last id to look at.", hidden=True, default="")
    found: int = attribute("What was found so far.", hidden=True, default=0)


@resource("Import Failure")
class ImportFailure(_Resource):
    """A row of a file that could not be imported; it waits to be written to the failures file."""

    id: str = attribute("Job, a slash, the number of the row: in order.", hidden=True)
    cells: str = attribute("The row as it was, as CSV, with its error.", hidden=True)
