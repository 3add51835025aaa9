"""``python -m scg_adapters.cli`` is ``scg``."""

from scg_adapters.cli import main

main()
