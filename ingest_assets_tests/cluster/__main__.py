"""Several hosts on one machine: python -m ingest_assets_tests.cluster --documents 300 --broker redis.

Measures two worker hosts against one, then breaks the cluster while documents go through it. Its last line is one line
of JSON.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ingest_assets_tests.cluster import network
from ingest_assets_tests.cluster.faults import FAULTS, Struck, strike
from ingest_assets_tests.cluster.judgement import judge
from ingest_assets_tests.cluster.ratio import Measured, measure
from ingest_assets_tests.cluster.report import tell
from ingest_assets_tests.cluster.servers import DatabaseServer
from ingest_assets_tests.cluster.site import BROKERS, Plan, site
from ingest_assets_tests.conftest import FOREIGN
from ingest_assets_tests.faults.harness.checks.reader import Reader
from ingest_assets_tests.faults.harness.report import say
from ingest_assets_tests.seaweedfs import WEED
