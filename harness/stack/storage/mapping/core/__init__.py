"""Mapping and unmapping one volume: what to do next, by what the last thing answered. Pure.

A *Work* is in one phase; ``action_of`` says what is to be done there, ``step`` takes the answer to the next phase, by
the table ``TRANSITIONS``. Whoever performs the actions may die after any of them: what the next one needs is in the
record, and the locks, which the kernel takes away from the dead, say that nobody is at it any more.

Why a mapping is proven by a nonce: that a device was attached (exit code 0) says nothing. `mfsbdev map` on a fresh
node was seen to give one device to two files, and to report success for both. The nonce goes into the volume's file
and has to come out of the device; then what stood there before goes into the device and has to come out of the file.
Only after the first look is anything written to the device: were it another volume's, that would be damaged.
"""
