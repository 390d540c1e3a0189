"""What statements lock, and what they do under the lock. Each claim is proven by a server in the tests."""

from migrations.locks.lock import Lock, Touch, Work

__all__ = ["Lock", "Touch", "Work"]
