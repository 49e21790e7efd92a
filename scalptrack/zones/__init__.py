"""Named zones of the scalp in one photograph, or the reason why there are none."""

from scalptrack.zones.anatomy import OFFERED, ZONES
from scalptrack.zones.finding import FoundZones, find_zones

__all__ = ["OFFERED", "ZONES", "FoundZones", "find_zones"]
