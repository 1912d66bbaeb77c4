"""Dashboards as one page of HTML: nothing of it comes from elsewhere, and nothing in it runs."""
