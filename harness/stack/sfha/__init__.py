"""sfha: the HA stack.

Three owners, never mixed: Corosync owns membership and quorum, WireGuard owns the tunnel,
and the sfha daemon owns election and the virtual addresses. Cores decide; ports do.
"""

from ..kit.messages import use_catalogue

VERSION = "0.1.0"

use_catalogue(f"{__name__}.messages")
