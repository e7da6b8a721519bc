"""`python -m coal_mine` is the command `coal-mine`."""

from coal_mine.main import main

if __name__ == "__main__":
    main()
