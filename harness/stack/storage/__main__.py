"""`python3 -m ...storage` is `mfs-autonomy`."""

import sys

from .cli.main import main

sys.exit(main())
