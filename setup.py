"""How Coal Mine is packaged. What we need is listed here as ranges; requirements.txt pins what a deployment gets."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"$', (HERE / "coal_mine/__init__.py").read_text(), re.MULTILINE)[1]

setup(
    name="coal-mine",
    version=VERSION,
    description="Tells you when a periodic job did not run",
    long_description=(HERE / "README.rst").read_text(),
    long_description_content_type="text/x-rst",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["coal_mine", "coal_mine.*"]),
    package_data={"coal_mine": ["py.typed"]},
    install_requires=[
        "bcrypt>=4,<6",
        "bottle>=0.13.4,<0.14",
        "click>=8.1",
        "concurrent-log-handler>=0.9.25",
        "cronsim>=2.7,<3",
        "google-re2>=1.1",
        "granian>=2.8,<3",
        "platformdirs>=4",
        "prometheus-client>=0.23",
        "pymongo>=4.8,<5",
        "python-dateutil>=2.9,<5",
        "PyYAML>=6,<7",
        "requests>=2.31",
        "rich>=13.7",
        "tzdata",
        "tzlocal>=5.2,<6",
    ],
    extras_require={
        "aws": ["boto3>=1.34,<2"],
        "elasticsearch": ["elasticsearch>=8.19,<9"],
    },
    entry_points={
        "console_scripts": [
            "coal-mine = coal_mine.main:main",
            "cmcli = coal_mine.cli:main",
        ]
    },
    classifiers=[
        "Environment :: Web Environment",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3.11",
        "Topic :: System :: Monitoring",
    ],
)
