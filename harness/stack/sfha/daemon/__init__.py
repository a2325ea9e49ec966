"""The process: started step by step, then one loop that feeds the node with what happens."""
