"""What is known of idle connections, by their ports and ages."""

from __future__ import annotations

from itertools import accumulate

from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.http.keepalive import KeepAlive, Lease


@define
class EachTime(KeepAlive):
    """The same, which looks at each idle connection whenever one is asked for."""

    def begin(self, now: float, *, traceable: bool) -> Lease:
        self._idle = {port: since for port, since in self._idle.items() if now - since < 5}
        return super().begin(now, traceable=traceable)


STEPS = st.tuples(
    st.sampled_from(["begin", "leave", "end", "lose"]),
    st.floats(0, 4),
    st.integers(0, 9),
    st.integers(1, 4),
    st.booleans(),
)


def promises(kept: KeepAlive, steps: list[tuple[str, float, int, int, bool]]) -> list[object]:
    """What each request was promised, and what is thought of the server after each step."""
    leases: list[Lease] = []
    found: list[object] = []
    for now, (step, _, which, port, yes) in zip(
        accumulate(after for _, after, _, _, _ in steps), steps, strict=True
    ):
        if step == "begin":
            leases.append(kept.begin(now, traceable=which > 0))
            found.append(leases[-1].promised)
        elif step == "lose":
            kept.lost(now)
        elif leases and step == "leave":
            kept.leave(leases[which % len(leases)], port, now)
        elif leases:
            kept.end(leases.pop(which % len(leases)), now, kept=yes)
        found.append(kept.trusted)
    return found


@given(st.lists(STEPS, max_size=40))
def test_a_promise_is_made_for_those_alone_that_are_not_idle_for_long(
    steps: list[tuple[str, float, int, int, bool]],
) -> None:
    assert promises(KeepAlive(), steps) == promises(EachTime(), steps)


def test_one_port_of_two_connections_is_as_young_as_the_later_one() -> None:
    kept = KeepAlive()
    first, second, other = (kept.begin(0.0, traceable=True) for _ in range(3))
    for lease, port in ((first, 5), (second, 5), (other, 7)):
        kept.leave(lease, port, 0.0)
    kept.end(first, 1.0, kept=True)
    kept.end(other, 1.5, kept=True)
    kept.end(second, 6.0, kept=True)
    assert kept.begin(7.0, traceable=True).promised
    assert not kept.begin(7.0, traceable=True).promised  # the other was idle for too long


def use_again(kept: KeepAlive, times: int) -> None:
    """A connection goes back to the pool, and is found there, so many times."""
    for _ in range(times + 1):
        lease = kept.begin(0.0, traceable=True)
        kept.leave(lease, 5, 0.0)
        kept.end(lease, 0.0, kept=True)


def test_a_third_loss_is_one_too_many() -> None:
    kept = KeepAlive()
    for _ in range(2):
        use_again(kept, 1)
        kept.lost(1.0)
        assert kept.trusted is None  # the next connection rests once more
    use_again(kept, 1)
    assert kept.reusing(1.0)
    kept.lost(1.0)
    assert not kept.reusing(30.9)
    assert kept.reusing(31.0)
    assert kept.trusted is None


def test_a_loss_is_forgiven_after_a_hundred_that_were_used_again() -> None:
    kept = KeepAlive()
    for _ in range(5):
        use_again(kept, 100)
        kept.lost(1.0)
        assert kept.trusted is None
    use_again(kept, 99)
    kept.lost(1.0)
    use_again(kept, 99)
    kept.lost(1.0)
    assert not kept.reusing(1.0)
