"""What holds on the roads at one moment, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from routing.closed_ends import ClosuresOnArcs
from routing.conditions import Conditions, EffectiveConditions
from routing.routes import Milliseconds
from routing.search.arrays import Weights
from routing.speeds import Profile
from routing.weights import WeightMaker, profile_arcs, profile_shut, profile_turns


@dataclass(frozen=True, slots=True)
class Moment:
    """What holds now. Replaced as a whole, so that no question sees half a change.

    Attributes:
        conditions: All that were ordered.
        effective: Those in force.
        hour: Local hour, 0 to 23.
        weights: Milliseconds of all profiles.
        version: Grows by one at each change.
        next_change_ms: When the conditions change by themselves, Unix milliseconds.
        arc_count: Arcs of the network.
        closures: Those in force, by the arcs that they bar.
    """

    conditions: Conditions
    effective: EffectiveConditions
    hour: int
    weights: Weights
    version: int
    next_change_ms: int
    arc_count: int
    closures: ClosuresOnArcs

    @classmethod
    def of(
        cls,
        maker: WeightMaker,
        conditions: Conditions,
        at_ms: int,
        hour: int,
        minute: int = 0,
        *,
        version: int,
    ) -> Moment:
        """The moment with these conditions, which were checked before."""
        effective = conditions.at(at_ms, hour, minute)
        return cls(
            conditions=conditions,
            effective=effective,
            hour=hour,
            weights=maker.weights(effective, hour),
            version=version,
            next_change_ms=conditions.next_change_ms(at_ms, hour, minute),
            arc_count=len(maker.network.length_m),
            closures=ClosuresOnArcs([(one, maker.arcs_of(one)) for one in effective.closures]),
        )

    def milliseconds(self, profile: Profile) -> Milliseconds:
        """One profile's weights."""
        return Milliseconds(
            profile_arcs(self.weights, profile, self.arc_count),
            profile_shut(self.weights, profile, self.arc_count),
            profile_turns(self.weights, profile),
        )
