"""What the operator decides, one module for each group of sections of coal-mine.ini."""

from .elasticsearch import ElasticsearchConfig
from .loading import ENVIRONMENT, Config, load
from .logs import LoggingConfig
from .mail import AlertsConfig, EmailConfig, HeartbeatConfig, Tls
from .minion import MinionAccount
from .moneta import BackupFormat, MonetaConfig
from .node import JobsConfig, NodeConfig, default_node
from .runner import AwsRunner, DummyRunner, HttpRunner, RunnerConfig
from .store import MongoConfig, address_path, key_path
from .wsgi import ALL_INTERFACES, WsgiConfig

__all__ = [
    "ALL_INTERFACES",
    "ENVIRONMENT",
    "AlertsConfig",
    "AwsRunner",
    "BackupFormat",
    "Config",
    "DummyRunner",
    "ElasticsearchConfig",
    "EmailConfig",
    "HeartbeatConfig",
    "HttpRunner",
    "JobsConfig",
    "LoggingConfig",
    "MinionAccount",
    "MonetaConfig",
    "MongoConfig",
    "NodeConfig",
    "RunnerConfig",
    "Tls",
    "WsgiConfig",
    "address_path",
    "default_node",
    "key_path",
    "load",
]
