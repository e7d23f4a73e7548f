"""``python -m config.probe``: exit code 0 when the site of this machine is ready. For container health checks."""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen


def main() -> int:
    """0 when ``/readyz`` answers 200 within five seconds."""
    try:
        with urlopen(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz", timeout=5) as answer:
            return 0 if answer.status == 200 else 1
    except URLError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
