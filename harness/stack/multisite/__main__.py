"""`python -m ...multisite` and the installed command."""

import sys

from .cli.main import main

sys.exit(main())
