"""`python3 -m ...dataservices` is `keyservices`."""

import sys

from .cli.main import main

sys.exit(main())
