"""Fixtures of the review tabs: one small trained campaign for all of them."""

from tests.workflows.review.trained_campaign import grown, trained  # noqa: F401
