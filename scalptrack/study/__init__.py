"""Studies: arms, visits, replicates, blinded readers and statistics over many subjects."""
