"""Who asks: a company's application. Companies and applications are the host's own."""

from __future__ import annotations

from attrs import frozen


@frozen
class Caller:
    """A company's application; everything it asks is scoped by the company."""

    company_id: str
    application_id: int
