"""The file with tasks and options, as Moneta's plugin configbackup wrote it. Only a background that keeps one imports this module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coal_mine.background.backup_file import BackupFile, as_json, as_yaml
from coal_mine.background.config_backup import ConfigBackup
from coal_mine.config import Config
from coal_mine.config.moneta import BackupFormat
from coal_mine.domain.job import Job
from coal_mine.domain.ports import Clock, Store
from coal_mine.services.options import Options
from coal_mine.web.dialects.moneta.remembered import RememberingView
from coal_mine.web.dialects.moneta.shown import is_task


def config_backup(path: Path, config: Config, store: Store, clock: Clock, view: RememberingView) -> ConfigBackup:
    def task(job: Job) -> Mapping[str, Any] | None:
        return view.task(job.id, job.definition) if is_task(job.id) else None

    form = as_yaml if config.moneta.backup_format is BackupFormat.YAML else as_json
    return ConfigBackup(store, BackupFile(path), form, task=task, options=Options(store, clock).all)
