"""What attackers have tried, each finding as the attack that it was."""
