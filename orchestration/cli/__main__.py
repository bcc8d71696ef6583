"""``python -m orchestration.cli``: the command line where the script is not installed."""

from orchestration.cli import main

if __name__ == "__main__":
    main()
