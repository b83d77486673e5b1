"""What a retention plan promises, held against thousands of catalogues of a hundred and more checkpoints."""

from __future__ import annotations

import pytest

from tests.retention_cases import CLAIMS, Claim, many

CASES = 5200


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("claim", "share"), CLAIMS.items(), ids=[claim.__name__ for claim in CLAIMS])
def test_thousands_of_plans_keep_their_promises(claim: Claim, share: float) -> None:
    """5,200 cases in all, 520 of them planned after every save and 520 with late values."""
    many(int(CASES * share), claim)
