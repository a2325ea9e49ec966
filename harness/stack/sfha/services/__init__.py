"""Services: started where the addresses are, and nowhere else."""
