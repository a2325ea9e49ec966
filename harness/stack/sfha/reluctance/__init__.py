"""Why a node would rather not lead, though it can: looked at here, told in heartbeats, heard by every election."""
