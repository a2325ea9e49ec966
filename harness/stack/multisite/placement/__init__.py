"""Which machine runs what: as many replicas as are wanted, wherever machines are alive."""
