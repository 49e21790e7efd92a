"""Register scalp photographs, estimate visible hair coverage, and chart it over visits."""

__version__ = "0.1.0"

__all__ = ["__version__"]
