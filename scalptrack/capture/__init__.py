"""Taking the next photographs of a series: live advice, replicates, and filing."""
