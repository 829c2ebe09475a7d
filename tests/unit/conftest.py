"""Settings of the property tests."""

from hypothesis import settings

# No deadline: a busy machine is not a wrong result. Derandomised: a red run can be run again.
settings.register_profile("dilt", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("dilt")
