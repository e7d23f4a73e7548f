"""What the tests of the quarterly tables share."""

import pytest


@pytest.fixture
def in_time(time_machine):
    """Three days before the third quarter's deadline."""
    from tests.submissions.ground import IN_TIME

    time_machine.move_to(IN_TIME)
    return time_machine
