"""Storage autonomy (`mfs-autonomy`): volumes as block devices, and moves that lose nothing.

Cores decide; ports do. What a core decides is a table of transitions, which tests walk with a modelled kernel or disk
below it and with crashes at every step; the same tables run on real ones.
"""

VERSION = "0.1.0"
