"""A code location with nothing in it."""

import dagster as dg

definitions = dg.Definitions()
