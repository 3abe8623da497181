"""`python -m whorl.cluster` is `whorl-cluster`."""

import sys

from .cli import main

sys.exit(main())
