"""The small model is loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.openai.small_model import SmallModel, served


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallModel]:
    with served(tmp_path_factory.mktemp("small-model") / "log.txt") as model:
        yield model
