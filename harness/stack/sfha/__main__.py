"""`python3 -m sfha`, where it is installed, is `sfha`."""

import sys

from .cli.main import main

sys.exit(main())
