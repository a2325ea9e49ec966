"""What sfha says to people, in English and in French: the sentences are data, a file per part of the stack."""
