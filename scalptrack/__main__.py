"""``python -m scalptrack``."""

from scalptrack.cli.main import main

if __name__ == "__main__":
    main(prog_name="scalptrack")
