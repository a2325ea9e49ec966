"""Reports: what a person reads about runs. They are made from histories and verdicts alone."""
