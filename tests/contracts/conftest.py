"""The served town, one for all contract tests over HTTP; each test starts on a quiet board."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.http_town import HttpTown, served


@pytest.fixture(scope="session")
def open_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpTown]:
    """The town, whatever state it is in."""
    with served(tmp_path_factory.mktemp("town") / "data") as town:
        yield town


@pytest.fixture
def town(open_town: HttpTown) -> HttpTown:
    """The town with nothing going on."""
    open_town.quiet()
    return open_town
