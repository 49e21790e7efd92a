"""Is a photograph good enough, and what to change when retaking it."""
