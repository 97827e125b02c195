"""One torch thread in every test and in every server that a test starts: more threads than cores would wait."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
