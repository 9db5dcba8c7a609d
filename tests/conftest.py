from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Nothing depends on the machine's speed. The same examples are tried each time; to look for new
# ones, set HYPOTHESIS_PROFILE=search.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", _UNTIMED, derandomize=True)
settings.register_profile("search", _UNTIMED, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
