"""Hair fraction and region class of every pixel of a photograph."""
