"""Where the parts of a daemon meet. It waits for nothing and touches nothing but its ports."""
