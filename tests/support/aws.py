"""A server like AWS, as a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.support.waiting import until

REGION = "eu-central-1"
_IMAGE = "ami-12c6146b"  # one that the server has


@dataclass(frozen=True)
class Aws:
    url: str

    @property
    def client(self) -> Any:
        return boto3.client("ec2", region_name=REGION, endpoint_url=self.url, aws_access_key_id="a", aws_secret_access_key="b")

    def new_instance(self) -> str:
        """The id of one that runs."""
        return str(self.client.run_instances(ImageId=_IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])

    def state_of(self, instance: str) -> str:
        return str(self.client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"])


@contextmanager
def aws_in(directory: Path) -> Iterator[Aws]:
    """On a free port of 127.0.0.1."""
    log = directory / "aws.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        found = until("the server like AWS", lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()))
        yield Aws(found[0])
    finally:
        server.terminate()
        server.wait()
