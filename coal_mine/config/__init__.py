"""What the operator decides, one module for each group of sections of coal-mine.ini."""

from .loading import ENVIRONMENT, Config, load
from .logs import LoggingConfig
from .mail import AlertsConfig, EmailConfig, HeartbeatConfig, Tls
from .node import JobsConfig, NodeConfig, default_node
from .store import MongoConfig, address_path, key_path
from .wsgi import ALL_INTERFACES, WsgiConfig

__all__ = [
    "ALL_INTERFACES",
    "ENVIRONMENT",
    "AlertsConfig",
    "Config",
    "EmailConfig",
    "HeartbeatConfig",
    "JobsConfig",
    "LoggingConfig",
    "MongoConfig",
    "NodeConfig",
    "Tls",
    "WsgiConfig",
    "address_path",
    "default_node",
    "key_path",
    "load",
]
