"""What watches a deployment from outside: alert rules for Prometheus, and dashboards for Grafana."""
