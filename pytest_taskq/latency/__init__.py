"""Durations in, verdicts with a stated error out: pure functions, no clock, no queue.

``binomial`` has the exact tails, ``quantiles`` the percentiles with intervals that assume no shape, ``exceedance`` the
count that decides about a percentile, ``blocks`` what is measured in turns with a floor, ``histogram`` the shape for a
picture, ``judgement`` the verdict about one call, ``growth`` that about one call at two depths.
"""
