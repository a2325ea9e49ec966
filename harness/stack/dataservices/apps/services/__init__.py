"""The programs themselves. They need nothing but Python: they run on servers, and in an image that has nothing else."""
