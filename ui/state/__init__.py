"""The only folder that spells session keys, query parameters or caches.

Everything a person can set is in the address, so that a link brings the same picture back; what is heavy
(models, traces) lives in bounded registries of the server and is found again by what it was made from.
"""

from ui.cache import *  # noqa: F403
from ui.state.address import *  # noqa: F403
from ui.state.attention import *  # noqa: F403
from ui.state.emergence import *  # noqa: F403
from ui.state.findings import *  # noqa: F403
from ui.state.names import *  # noqa: F403
from ui.state.scaling import *  # noqa: F403
from ui.state.training import *  # noqa: F403
