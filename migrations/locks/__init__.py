"""What statements lock, and what they do under the lock. Each claim is proven by a server in the tests."""

from migrations.locks.lock import Hinge, HingeKind, Lock, Through, ThroughKind, Touch, Work
from migrations.locks.touches import touches_of

__all__ = ["Hinge", "HingeKind", "Lock", "Through", "ThroughKind", "Touch", "Work", "touches_of"]
