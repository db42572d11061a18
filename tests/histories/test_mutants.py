"""Every mutant is caught within a bounded number of histories, or the histories prove nothing."""

import pytest

from tests.histories.mutants import ENOUGH, hunt, main, mutants
from tests.histories.runner import failures


@pytest.mark.parametrize("name", list(mutants()))
def test_the_histories_catch(name: str) -> None:
    caught = hunt(name)
    assert caught is not None, f"{ENOUGH} histories do not notice {name}"
    assert caught.wrong
    assert len(caught.trace) > 5


def test_there_are_enough_of_them() -> None:
    assert len(mutants()) >= 12
    assert all(name == one.__name__ for name, one in mutants().items())


def test_a_mutant_leaves_nothing_behind() -> None:
    """After the hunt the programs are what they were: the same seed is in order."""
    caught = hunt("new_bill_per_call")
    assert caught is not None
    assert main(["new_bill_per_call"]) == 0
    assert failures([caught.seed]) == []


def test_an_unknown_mutant_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no_such_bug"])
    assert "no mutant" in capsys.readouterr().err
