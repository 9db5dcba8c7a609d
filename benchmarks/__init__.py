"""What the SDK costs, measured against the limit, the plain script and the rivals.

`python -m benchmarks` runs all of it, `python -m benchmarks --quick` a short form. Times are CPU
time of the uploading process, and what is judged are ratios taken in one run, so that the verdict
does not depend on the machine.
"""
