"""``harness up``, ``ps``, ``exec`` and ``down``: a cluster for a person to play with."""

import asyncio
import importlib
import json
import os
import secrets
import subprocess
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.errors import UsageError
from harness.images import ensure_image
from harness.upright import Upright, running_clusters
