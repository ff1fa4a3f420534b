"""ro-crate-metadata.json: RO-Crate 1.1 with the profiles Workflow RO-Crate 1.0 and Provenance Run Crate 0.5.

One HowToStep, one tool and one action stand for each rule, whose jobs they sum up; every single job is in
results/audit/lineage.json.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from thermoweave import VERSION
from thermoweave.lineage import Job, Lineage

CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    WORKFLOW_CRATE: "Workflow RO-Crate",
}
SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
MAIN = "Snakefile"
URL = "https://snakemake.github.io"
FORMATS = {
    "csv": "text/csv", "extxyz": "chemical/x-xyz", "html": "text/html", "json": "application/json",
    "md": "text/markdown", "nc": "application/x-netcdf", "pdf": "application/pdf", "py": "text/x-python",
    "svg": "image/svg+xml", "txt": "text/plain", "yaml": "application/yaml", "zip": "application/zip",
    "bib": "application/x-bibtex",
}  # fmt: skip

RELATIONS = {
    "README.md": {"about": "./"}, "config/config.yaml": {"exampleOfWork": "#config"},
    "results/audit/lineage.json": {"exampleOfWork": "#results"},
}  # fmt: skip


@dataclass
class About:
    """What a person said of the campaign, and with what it was run."""

    name: str
    title: str
    description: str
    authors: Sequence[Mapping[str, str]]  # name, and perhaps orcid and affiliation
    licence: str  # SPDX
    citations: Sequence[Mapping[str, str]]  # title, type and perhaps doi
    snakemake: str  # version


def entity(identifier: str, kind: str | list[str], /, **properties) -> dict:
    return {"@id": identifier, "@type": kind} | {
        key: value for key, value in properties.items() if value not in (None, "")
    }


def refer(identifiers: Sequence[str]) -> list[dict] | dict | None:
    """References to entities; a single one stands alone, as RO-Crate wants it."""
    found = [{"@id": identifier} for identifier in identifiers]
    return found if len(found) > 1 else found[0] if found else None


def iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds))


def metadata(about: About, graph: Lineage, files: Mapping[str, Mapping], places: Mapping[str, str | None]) -> dict:
    """The JSON-LD of an archive.

    `files`: files in the archive by name: sha256, contentSize (bytes), perhaps description, version and conformsTo;
    `places`: the bundle of each result, None where it lies by itself.
    """
    rules: dict[str, list[Job]] = {}
    for job in sorted(graph.jobs.values(), key=lambda job: job.start):
        rules.setdefault(job.rule, []).append(job)
    people = [person(number, author) for number, author in enumerate(about.authors, 1)]
    names = dict.fromkeys(author["affiliation"] for author in about.authors if author.get("affiliation"))
    institutions = [entity(institution(name), "Organization", name=name) for name in names]
    papers = [paper(each) for each in about.citations]
    run = actions(about, rules, places, files)
    root = entity(
        "./", "Dataset", name=about.title, description=about.description,
        datePublished=iso(max(job.end for job in graph.jobs.values())),
        license={"@id": licence(about)}, author=refer([each["@id"] for each in people]),
        conformsTo=[{"@id": each} for each in PROFILES], hasPart=[{"@id": name} for name in files],
        mainEntity={"@id": MAIN},
        mentions=refer([each["@id"] for each in run if each["@type"] in ("CreateAction", "OrganizeAction")]),
        citation=refer([each["@id"] for each in papers]),
    )  # fmt: skip
    descriptor = entity(
        "ro-crate-metadata.json", "CreativeWork", about={"@id": "./"},
        conformsTo=refer(["https://w3id.org/ro/crate/1.1", WORKFLOW_CRATE]),
    )  # fmt: skip
    profiles = [
        entity(each, "CreativeWork", name=name, version=each.rpartition("/")[2]) for each, name in PROFILES.items()
    ]
    graph_ = [descriptor, root, *profiles, *people, *institutions, *papers, spdx(about), *workflow(about, rules), *run]
    described = {each["@id"] for each in graph_}
    return {
        "@context": CONTEXT,
        "@graph": graph_ + [file(name, facts) for name, facts in files.items() if name not in described],
    }


def licence(about: About) -> str:
    return f"https://spdx.org/licenses/{about.licence}"


def spdx(about: About) -> dict:
    return entity(licence(about), "CreativeWork", name=about.licence, identifier=about.licence, url=licence(about))


def person(number: int, author: Mapping[str, str]) -> dict:
    orcid = author.get("orcid")
    identifier = f"https://orcid.org/{orcid}" if orcid else f"#author-{number}"
    affiliation = author.get("affiliation")
    return entity(
        identifier, "Person", name=author["name"], affiliation=affiliation and {"@id": institution(affiliation)}
    )


def institution(name: str) -> str:
    return f"#{quote(name)}"


def paper(each: Mapping[str, str]) -> dict:
    identifier = f"https://doi.org/{each['doi']}" if each.get("doi") else f"#{each['key']}"
    return entity(identifier, each.get("type", "ScholarlyArticle"), name=each["title"], identifier=identifier)


def file(name: str, facts: Mapping) -> dict:
    ending = name.rpartition(".")[2]
    more = {key: {"@id": value} for key, value in RELATIONS.get(name, {}).items()}
    return entity(name, "File", name=name, encodingFormat=FORMATS.get(ending, "text/plain"), **facts, **more)


def step(rule: str) -> str:
    return f"{MAIN}#{rule}"


def tool(rule: str) -> str:
    return f"#tool-{rule}"


def workflow(about: About, rules: Mapping[str, list[Job]]) -> list[dict]:
    """The workflow, its language, its steps and their tools."""
    main = entity(
        MAIN, ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"], name="Thermoweave",
        description="From first-principles labels to diffusion coefficients, activation energies and spectra.",
        version=VERSION, url=URL, license={"@id": "https://spdx.org/licenses/MIT"},
        programmingLanguage={"@id": SNAKEMAKE}, step=refer([step(rule) for rule in rules]),
        hasPart=refer([tool(rule) for rule in rules]), encodingFormat="text/x-snakemake",
        output={"@id": "#results"}, input={"@id": "#config"},
    )  # fmt: skip
    language = entity(
        SNAKEMAKE, "ComputerLanguage", name="Snakemake", version=about.snakemake,
        identifier={"@id": "https://doi.org/10.12688/f1000research.29032.2"}, url={"@id": URL},
    )  # fmt: skip
    parameters = [
        entity("#config", "FormalParameter", name="config", additionalType="File", encodingFormat="application/yaml",
               workExample={"@id": "config/config.yaml"}),
        entity("#results", "FormalParameter", name="results", additionalType="File"),
    ]  # fmt: skip
    steps = [
        entity(step(rule), "HowToStep", name=rule, position=str(number), workExample={"@id": tool(rule)})
        for number, rule in enumerate(rules, 1)
    ]
    software = {"softwareVersion": VERSION, "url": URL}
    tools = [
        entity(tool(rule), "SoftwareApplication", name=rule, description=f"rule {rule} of the workflow", **software)
        for rule in rules
    ]
    version = about.snakemake
    engine = entity(
        "#snakemake", "SoftwareApplication", name=f"Snakemake {version}", softwareVersion=version, url=URL
    )  # fmt: skip
    return [main, language, *parameters, *steps, *tools, engine]


def actions(
    about: About, rules: Mapping[str, list[Job]], places: Mapping[str, str | None], files: Mapping[str, Mapping]
) -> list[dict]:
    """The run of the workflow by its engine, and that of each rule: what it read, what it made, from when to when."""

    def there(names: Sequence[str]) -> list[dict] | dict | None:
        return refer(sorted({places.get(name) or name for name in names if (places.get(name) or name) in files}))

    agent = {"@id": f"https://orcid.org/{about.authors[0]['orcid']}" if about.authors[0].get("orcid") else "#author-1"}
    jobs = [job for found in rules.values() for job in found]
    times = {"startTime": iso(min(job.start for job in jobs)), "endTime": iso(max(job.end for job in jobs))}
    done = "http://schema.org/CompletedActionStatus"
    run = entity(
        "#run", "CreateAction", name=f"Campaign {about.name}", description=about.description,
        instrument={"@id": MAIN}, agent=agent, **times,
        actionStatus=done, object=refer(["config/config.yaml"]),
        result=there([name for job in jobs for name in job.outputs]),
    )  # fmt: skip
    engine = entity(
        "#engine-run", "OrganizeAction", name=f"Snakemake {about.snakemake}", instrument={"@id": "#snakemake"},
        agent=agent, **times, object=refer([f"#control-{rule}" for rule in rules]), result={"@id": "#run"},
    )  # fmt: skip
    found = [run, engine]
    for rule, made in rules.items():
        found.append(
            entity(f"#control-{rule}", "ControlAction", name=f"orchestrate {rule}", instrument={"@id": step(rule)},
                   object={"@id": f"#action-{rule}"})
        )  # fmt: skip
        found.append(
            entity(
                f"#action-{rule}", "CreateAction", name=f"{rule}: {len(made)} job{'s' * (len(made) > 1)}",
                description=f"all jobs of the rule {rule}; each by itself is in results/audit/lineage.json",
                instrument={"@id": tool(rule)}, agent=agent, actionStatus=done,
                startTime=iso(min(job.start for job in made)), endTime=iso(max(job.end for job in made)),
                object=there([name for job in made for name in job.inputs]),
                result=there([name for job in made for name in job.outputs]),
            )
        )  # fmt: skip
    return found
