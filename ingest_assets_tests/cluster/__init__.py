"""Several hosts on one machine: network namespaces with a cable each, which are broken while documents go through.

`network` makes the hosts, `servers` are what they share, `site` is the deployment on them, `ratio` measures two worker
hosts against one, and `faults` strike. Only root can make namespaces.
"""
