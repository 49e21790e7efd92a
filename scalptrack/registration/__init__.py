"""Where the points of one photograph of a head lie in another one of the same head."""
