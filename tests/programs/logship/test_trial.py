"""A configuration is tried on lines of which it is known what they say."""

from pathlib import Path

import pytest
import yaml

from stack.errors import BadInput
from stack.programs.logship.trial import Sample, check

FOLDER = "/logs/"
AT_NS = 1_795_518_610_000_000_000
LINE = Sample(
    log="app", text="2026-11-24T11:10:10Z ERROR it", level="error", time_ns=AT_NS, goes_on="\tat x"
)
STAGES = [
    {"multiline": {"firstline": r"^\d"}},
    {"regex": {"expression": r"^(?P<time>\S+) (?P<level>\S+)"}},
    {"timestamp": {"source": "time", "format": "RFC3339", "action_on_failure": "skip"}},
    {"template": {"source": "level", "template": "{{ ToLower .Value }}"}},
    {"labels": {"level": "level"}},
]


def configured(folder: Path, *jobs: tuple[str, list[object]]) -> Path:
    """A configuration with these jobs: the pattern of its files, and its stages."""
    file = folder / "promtail-config.yml"
    document = {
        "server": {},
        "positions": {"filename": "/data/positions.yaml"},
        "clients": [{"url": "http://loki:3100/x", "backoff_config": {"max_retries": 0}}],
        "target_config": {},
        "scrape_configs": [
            {
                "job_name": f"job-{place}",
                "static_configs": [{"labels": {"__path__": pattern, "service": "app"}}],
                "pipeline_stages": stages,
            }
            for place, (pattern, stages) in enumerate(jobs)
        ],
    }
    file.write_text(yaml.safe_dump(document))
    return file


def test_what_does_its_work_is_good(tmp_path: Path) -> None:
    check(configured(tmp_path, ("/logs/*.log", STAGES)), [LINE], FOLDER)


def without(stage: str) -> list[object]:
    return [one for one in STAGES if stage not in one]


def instead(stage: str, settings: object) -> list[object]:
    return [{stage: settings} if stage in one else one for one in STAGES]


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        (without("labels"), "no level is found"),
        (without("template"), "the level is `ERROR`, expected `error`"),
        (without("timestamp"), "the time is not found"),
        (instead("multiline", {"firstline": "^a"}), "it is not seen that a message begins"),
        (instead("multiline", {"firstline": "."}), "`at x` is cut off, which belongs to it"),
        ([*STAGES, {"labeldrop": ["service"]}], "the service is ``, expected `app`"),
    ],
)
def test_what_is_lost_of_a_line_is_said(tmp_path: Path, stages: list[object], says: str) -> None:
    file = configured(tmp_path, ("/logs/*.log", stages))
    with pytest.raises(BadInput) as raised:
        check(file, [LINE], FOLDER)
    assert raised.value.what.startswith(f"`{file}`: `scrape_configs[0].pipeline_stages`: of `2026")
    assert says in raised.value.what


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        (["/logs/ap.log"], "`scrape_configs[0].static_configs[0].labels.__path__`: `app.log` is "
                           "read by no job."),
        (["/log/app.log", "/logs/b.log"], "`app.log` is read by no job."),
        (["/logs/*.log", "/logs/{app,b}.log"], "`scrape_configs[1].static_configs[0].labels."
                                               "__path__`: `app.log` is read by `job-0` and `job"),
    ],
)  # fmt: skip
def test_file_that_none_or_two_would_read_is_named(
    tmp_path: Path, patterns: list[str], says: str
) -> None:
    file = configured(tmp_path, *((one, STAGES) for one in patterns))
    with pytest.raises(BadInput) as raised:
        check(file, [LINE], FOLDER)
    assert says in raised.value.what
