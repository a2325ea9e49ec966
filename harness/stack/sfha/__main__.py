"""`python3 -m harness.stack` is `sfha`."""

import sys

from .cli.main import main

sys.exit(main())
