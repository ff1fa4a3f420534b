"""An archive before the validator of the RO-Crate community, at every level that its profiles have."""

import email.message
import io
import json
import urllib.request
import urllib.response
import zipfile
from pathlib import Path

import pytest
import requests
from archived import small_archive
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings

HERE = Path(__file__).parent
CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": HERE / "ro-crate-1.1.jsonld",
    "https://w3id.org/ro/terms/workflow-run/context": HERE / "workflow-run.jsonld",
}
PROFILE = "provenance-run-crate-0.5"  # rests on process, workflow and workflow run crates and on RO-Crate 1.1
# What we leave out knowingly: a publisher, who is not known yet; the URL of an institution; Bioschemas' own profile;
# identifiers that the whole web knows of tools: ours are rules.
UNWANTED = {"ro-crate-1.1_22.3", "ro-crate-1.1_31.2", "workflow-ro-crate-1.0_8.1", "process-run-crate-0.5_5.1"}


class Kept(urllib.request.HTTPSHandler):
    """Serves the contexts from here, and nothing else."""

    def https_open(self, request):
        headers = email.message.Message()
        headers["Content-Type"] = "application/ld+json"
        content = io.BytesIO(CONTEXTS[request.full_url].read_bytes())
        answer = urllib.response.addinfourl(content, headers, request.full_url, 200)
        answer.msg = "OK"
        return answer


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """The validator reads contexts through urllib and through requests."""
    opener = urllib.request.build_opener(Kept)
    monkeypatch.setattr(urllib.request, "_opener", opener)

    def send(self, request, **options):
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        answer.headers["Content-Type"] = "application/ld+json"
        answer.raw = io.BytesIO(CONTEXTS[request.url].read_bytes())
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)


def issues(crate: Path, severity: Severity) -> list[str]:
    settings = ValidationSettings(
        rocrate_uri=str(crate), profile_identifier=PROFILE, requirement_severity=severity, skip_availability_check=True,
        no_cache=True,
    )  # fmt: skip
    found = services.validate(settings).get_issues()
    return [f"{each.check.identifier} {each.message}" for each in found]


@pytest.fixture(scope="module")
def crate(tmp_path_factory):
    return small_archive(tmp_path_factory.mktemp("crate"))


def test_nothing_that_is_required_is_missing(crate):
    assert issues(crate, Severity.REQUIRED) == []


def test_nothing_that_is_recommended_is_missing(crate):
    found = {issue.split()[0]: issue for issue in issues(crate, Severity.RECOMMENDED)}
    assert found.keys() <= UNWANTED, found


def test_the_validator_sees_what_is_missing(crate, tmp_path):
    with zipfile.ZipFile(crate) as file:
        file.extractall(tmp_path)
    path = tmp_path / "ro-crate-metadata.json"
    metadata = json.loads(path.read_text())
    for entity in metadata["@graph"]:
        if entity["@id"] == "Snakefile":
            del entity["programmingLanguage"]
    path.write_text(json.dumps(metadata))
    assert any("programmingLanguage" in issue or "language" in issue for issue in issues(tmp_path, Severity.REQUIRED))
