"""The app's imports in the background, waited for.

pytest walks over all loggers before each phase of a test: a thread that imports meanwhile, and makes some, fails that
test, whichever it is.
"""

import time

from ui.warm import warm_up


def wait_until_warm() -> None:
    """Start the background imports, if nobody has, and wait for their end."""
    progress = warm_up()
    while not progress.has_passed("transformers") and progress.error is None:
        time.sleep(0.05)
    assert progress.error is None
