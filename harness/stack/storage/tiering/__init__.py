"""Which storage class (goal) of MooseFS each volume has, by how it is used."""
