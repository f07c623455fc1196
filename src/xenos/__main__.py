"""`python -m xenos`: the command without an installed script."""

import sys

from xenos.cli.main import main

sys.exit(main())
