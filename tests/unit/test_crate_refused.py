"""A crate that is not as it was archived is refused by the name of what is wrong, and nothing of it is unpacked."""

import stat
import zipfile
from pathlib import Path

import crate as tool
import pytest
from crate import Refused
from crated import BUNDLES, FILES, crate_files, everything, metadata, sums, write, zipped


def refusal(crate: Path) -> str:
    """Why a crate is refused, by verify as by unpack, of which nothing is left."""
    folder = crate.parent / "unpacked"
    with pytest.raises(Refused) as verified:
        tool.verify(crate)
    with pytest.raises(Refused) as unpacked:
        tool.unpack(crate, folder, everything)
    assert str(verified.value) == str(unpacked.value)
    assert sorted(crate.parent.iterdir()) == [crate]
    return str(verified.value)


def test_a_changed_file_a_missing_one_and_an_extra_one_are_named_together(tmp_path):
    files = crate_files() | {"README.md": b"# Tost\n", "notes.txt": b""}
    del files["config/config.yaml"]
    assert refusal(write(tmp_path, files)).splitlines() == [
        "README.md: changed",
        "config/config.yaml: missing",
        "notes.txt: extra, checksums.sha256 does not list it",
    ]


def test_a_changed_file_in_a_bundle_is_named_with_its_bundle(tmp_path):
    files = crate_files()
    files["records.zip"] = zipped(BUNDLES["records.zip"] | {"results/label/a name.csv": b"2\n"})
    assert refusal(write(tmp_path, files)) == "records.zip: changed\nresults/label/a name.csv: changed"


def test_checksums_that_were_changed_with_a_file_do_not_agree_with_the_metadata(tmp_path):
    files = crate_files()
    files["README.md"] = b"# Tost\n"
    inside = {path: content for members in BUNDLES.values() for path, content in members.items()}
    own = {path: files[path] for path in files if path not in ("checksums.sha256", "ro-crate-metadata.json")}
    files["checksums.sha256"] = sums(own | inside)
    assert refusal(write(tmp_path, files)) == "README.md: changed\nchecksums.sha256: changed"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("../evil", "is a path that leads elsewhere"),
        ("results/../../evil", "is a path that leads elsewhere"),
        ("./README.md", "is a path that leads elsewhere"),
        ("a//b", "is a path that leads elsewhere"),
        ("..\\evil", "is a path that leads elsewhere"),
        ("a\x01b", "is a path that leads elsewhere"),
        ("/etc/evil", "is an absolute path"),
        ("C:evil", "is an absolute path"),
    ],
)
def test_a_path_that_escapes_is_refused_by_name_in_the_crate_and_in_a_bundle(tmp_path, name, fault):
    assert refusal(write(tmp_path, crate_files(), (zipfile.ZipInfo(name), b""))) == f"{name}, in the crate: {fault}"
    bundles = BUNDLES | {"records.zip": {name: b""}}
    assert refusal(write(tmp_path, crate_files(bundles))) == f"{name}, in records.zip: {fault}"


def test_a_folder_that_escapes_is_refused(tmp_path):
    assert "../evil/, in the crate: is a path that leads" in refusal(
        write(tmp_path, crate_files(), (zipfile.ZipInfo("../evil/"), b""))
    )


def test_a_link_in_a_zip_file_is_refused(tmp_path):
    link = zipfile.ZipInfo("results/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert (
        refusal(write(tmp_path, crate_files(), (link, b"/etc/hostname")))
        == "results/link, in the crate: is a link or a device"
    )


@pytest.mark.parametrize("name", ["README.md", "readme.MD", "Makefile", "makefile"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_that_would_be_one_are_refused(tmp_path, name):
    first = {"readme.md": "README.md", "makefile": "Makefile"}[name.lower()]
    assert (
        refusal(write(tmp_path, crate_files(), (zipfile.ZipInfo(name), b"")))
        == f"{name}, in the crate: there is {first} already"
    )


def test_a_file_that_is_also_a_folder_is_refused(tmp_path):
    assert "README.md: a file, and a folder of others" in refusal(
        write(tmp_path, crate_files(), (zipfile.ZipInfo("README.md/a"), b""))
    )


def test_an_encrypted_member_is_refused(tmp_path):
    crate = write(tmp_path, crate_files())
    content = bytearray(crate.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # a flag of the last member, in the list of all
    crate.write_bytes(content)
    assert refusal(crate) == "ro-crate-metadata.json, in the crate: is encrypted"


def test_a_member_far_larger_than_its_zip_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "LARGE", 1e5)
    bundles = BUNDLES | {"records.zip": {"results/zeros": bytes(10**6)}}
    assert "results/zeros, in records.zip: would become 0.001 GB" in refusal(write(tmp_path, crate_files(bundles)))


def test_members_that_are_far_larger_together_are_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "LARGE", 1.5e6)
    bundles = BUNDLES | {"records.zip": {f"results/zeros{number}": bytes(10**6) for number in range(3)}}
    assert refusal(write(tmp_path, crate_files(bundles))).startswith("records.zip: would become 0.003 GB")


def test_a_newer_format_is_refused_with_what_to_do(tmp_path):
    files = crate_files()
    del files["ro-crate-metadata.json"]
    found = refusal(write(tmp_path, files | {"ro-crate-metadata.json": metadata(files, "2")}))
    assert found == "ro-crate-metadata.json: the crate has format 2, this crate.py knows 1: take a newer one"


@pytest.mark.parametrize("left", [0, 300, -20, -200])
def test_a_truncated_crate_is_refused(tmp_path, left):
    crate = write(tmp_path, crate_files())
    crate.write_bytes(crate.read_bytes()[:left])
    assert "or not all of it" in refusal(crate)


def test_a_truncated_bundle_is_refused_by_its_name(tmp_path):
    files = crate_files()
    files["records.zip"] = files["records.zip"][:-30]
    assert refusal(write(tmp_path, files)).startswith("records.zip: damaged, or not all of it")


def test_flipped_bits_are_refused_by_the_file_s_name(tmp_path):
    crate = write(tmp_path, crate_files())
    content = crate.read_bytes()
    crate.write_bytes(content.replace(FILES["config/config.yaml"], b"name: tast\n"))
    assert refusal(crate).startswith("config/config.yaml: damaged")


@pytest.mark.parametrize("name", ["checksums.sha256", "ro-crate-metadata.json"])
def test_another_zip_file_is_no_crate(tmp_path, name):
    files = crate_files()
    del files[name]
    assert f"{name}: missing, so that this is no crate of Thermoweave" in refusal(write(tmp_path, files))


def test_metadata_that_say_nothing_of_the_checksums_are_refused(tmp_path):
    files = crate_files() | {"ro-crate-metadata.json": b'{"@graph": []}'}
    assert "does not describe checksums.sha256 and its version" in refusal(write(tmp_path, files))
