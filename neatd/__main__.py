"""`python -m neatd`: the command `neatd`, for services, which name an interpreter and not a script."""

from neatd.cli.main import neatd_main

if __name__ == "__main__":
    neatd_main()
