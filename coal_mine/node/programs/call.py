"""What such a program is to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

# What is secret must not be among the arguments, which every user of the machine can read.
_VARIABLE = "COAL_MINE_CALL"


class CallFailed(Exception):
    """The text is for the job's owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Of somebody who has power over an instance."""

    action: str  # start, stop or reboot
    instance: str
    url: str = ""  # empty: AWS itself is called
    region: str = ""  # of AWS; empty: boto3 finds it
    token: str = ""
    token_header: str = ""
    ca_certs: str = ""  # the file that says whom to trust; empty: whom everybody does
    proxy: str = ""
    seconds: float = 30.0  # for all of it

    def to_environment(self) -> dict[str, str]:
        return {_VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Call:
        """Without what another version may have written."""
        given = json.loads(environ[_VARIABLE])
        return cls(**{name: given[name] for name in cls.__slots__ if name in given})
