"""A fast renderer of heads with hair: training pictures whose truth is exact."""
