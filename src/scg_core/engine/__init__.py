"""The front door: everything a host asks of the engine, each call one transaction.

Every call into the engine is one transaction and sends nothing. What must leave is filed as
due work in the same transaction; ``engine.run_due(limit)`` does it and returns when to call
again, or ``None``.
"""

from scg_core.engine.application import Application
from scg_core.engine.front import Engine
from scg_core.engine.operator import Operator

__all__ = ["Application", "Engine", "Operator"]
