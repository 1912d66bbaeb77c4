"""What people see of the whole at a glance: three dashboards, made of numbers that others have found."""
