"""Office packages made fit for xberg: what it would lose or confuse is written out as text first."""
