"""What is looked at when a guest has come here from another host: that its disks are devices here, and nowhere else."""
