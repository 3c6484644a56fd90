from api.bench.samples import Samples


def test_percentiles_of_known_times() -> None:
    taken = Samples()
    taken.extend_ms(float(number) for number in range(1, 102))

    assert taken.summary() == {"samples": 101, "p50_ms": 51.0, "p99_ms": 100.0}


def test_nanoseconds_become_milliseconds() -> None:
    taken = Samples()
    taken.add_ns(2_500_000)

    assert taken.values_ms == [2.5]


def test_nothing_measured_is_never_fast() -> None:
    assert Samples().p99_ms == float("inf")
