"""Intervals, detectable change and verdicts: numbers in, records out."""
