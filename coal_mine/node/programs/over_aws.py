"""An instance of EC2, by a call of AWS itself."""

from __future__ import annotations

import json
from typing import BinaryIO

from .call import Call, CallFailed


def order(call: Call, output: BinaryIO) -> None:
    """Writes what is answered. Raises CallFailed."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise CallFailed(f"boto3 is missing on this node ({error}); install coal-mine[aws] there") from error
    proxies = {"http": call.proxy, "https": call.proxy} if call.proxy else None
    try:
        client = boto3.client("ec2", region_name=call.region or None, config=Config(proxies=proxies))
        verbs = {"start": client.start_instances, "stop": client.stop_instances, "reboot": client.reboot_instances}
        answer = verbs[call.action](InstanceIds=[call.instance])
    except (BotoCoreError, ClientError, ValueError) as error:
        raise CallFailed(f"{call.action} {call.instance}: {error}") from error
    answer.pop("ResponseMetadata", None)
    output.write(json.dumps(answer, indent=2, default=str).encode() + b"\n")
