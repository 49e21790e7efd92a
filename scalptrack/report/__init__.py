"""The report: pages of numbers that are already computed."""
