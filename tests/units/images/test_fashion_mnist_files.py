import functools
import hashlib
import http.server
import os
import socketserver
import stat
import threading

import pytest

from lenslab.units.errors import ImagesUnavailableError
from lenslab.units.images.fashion_mnist_files import fetch

CONTENT = {"one.gz": b"the first file", "two.gz": b"the second file"}
FILES = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
NOWHERE = "http://127.0.0.1:9"


class Quiet(http.server.SimpleHTTPRequestHandler):
    requests = 0

    def log_message(self, *_arguments):
        type(self).requests += 1


@pytest.fixture
def home(tmp_path):
    """A real server with the files in its directory; yields (address, directory)."""
    directory = tmp_path / "home"
    directory.mkdir()
    for name, content in CONTENT.items():
        (directory / name).write_bytes(content)
    handler = functools.partial(Quiet, directory=str(directory))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", directory
        server.shutdown()
        thread.join()


@pytest.fixture
def no_package(monkeypatch, tmp_path):
    """A machine without Debian's programs."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Programs that answer as apt-get and dpkg-deb do; yields the directory that the package holds."""
    programs, content = tmp_path / "programs", tmp_path / "content" / "usr" / "share" / "datasets" / "fashion-mnist"
    programs.mkdir()
    content.mkdir(parents=True)
    for name, held in CONTENT.items():
        (content / name).write_bytes(held)
    scripts = {
        # Only private directories may be used: this is what makes it work without root.
        "apt-get": 'case "$*" in *Dir::State::Lists=*Dir::Cache=*) ;; *) exit 9;; esac\n'
        'case "$*" in *update) ;; *"download dataset-fashion-mnist") echo archive > it_1_all.deb ;; *) exit 8;; esac',
        "dpkg-deb": f'[ "$1" = -x ] && [ -s "$2" ] && mkdir "$3" && cp -r {tmp_path / "content"}/. "$3"',
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return content


def holds_exactly_the_files(directory) -> bool:
    return {path.name: path.read_bytes() for path in directory.iterdir()} == CONTENT


@pytest.mark.usefixtures("no_package")
def test_files_come_from_their_home(tmp_path, home):
    fetch(FILES, tmp_path / "cache", home=home[0])
    assert holds_exactly_the_files(tmp_path / "cache")


@pytest.mark.usefixtures("no_package")
def test_files_that_are_there_ask_nobody(tmp_path, home):
    fetch(FILES, tmp_path / "cache", home=home[0])
    asked = Quiet.requests
    fetch(FILES, tmp_path / "cache", home=home[0])
    assert Quiet.requests == asked


@pytest.mark.usefixtures("no_package")
def test_only_the_missing_file_is_fetched(tmp_path, home):
    fetch(FILES, tmp_path / "cache", home=home[0])
    (tmp_path / "cache" / "two.gz").unlink()
    (home[1] / "one.gz").unlink()
    fetch(FILES, tmp_path / "cache", home=home[0])
    assert holds_exactly_the_files(tmp_path / "cache")


@pytest.mark.usefixtures("package")
def test_the_package_is_used_where_the_home_cannot_be_reached(tmp_path):
    fetch(FILES, tmp_path / "cache", home=NOWHERE)
    assert holds_exactly_the_files(tmp_path / "cache")


@pytest.mark.usefixtures("package")
def test_the_package_is_used_where_the_home_has_another_file(tmp_path, home):
    (home[1] / "two.gz").write_bytes(b"a page that says sorry")
    fetch(FILES, tmp_path / "cache", home=home[0])
    assert holds_exactly_the_files(tmp_path / "cache")


@pytest.mark.usefixtures("package")
def test_a_home_that_stays_silent_is_given_up(tmp_path):
    with socketserver.TCPServer(
        ("127.0.0.1", 0), socketserver.BaseRequestHandler
    ) as silent:  # accepts and never answers
        fetch(FILES, tmp_path / "cache", home=f"http://127.0.0.1:{silent.server_address[1]}", timeout=0.2)
    assert holds_exactly_the_files(tmp_path / "cache")


@pytest.mark.usefixtures("no_package")
def test_when_nothing_works_one_message_names_what_was_tried_and_nothing_is_left(tmp_path, home):
    (home[1] / "two.gz").write_bytes(b"another file")
    with pytest.raises(ImagesUnavailableError) as caught:
        fetch(FILES, tmp_path / "cache", home=home[0])
    message = str(caught.value)
    for part in (home[0], "two.gz arrived with another SHA-256", "there is no apt-get", "LENSLAB_DATA", "digits"):
        assert part in message
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_package_with_another_file_is_refused(tmp_path, package):
    (package / "one.gz").write_bytes(b"another file")
    with pytest.raises(ImagesUnavailableError, match=r"one\.gz arrived with another SHA-256"):
        fetch(FILES, tmp_path / "cache", home=NOWHERE)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_package_without_the_file_and_a_failing_program_are_told(tmp_path, package):
    (package / "one.gz").unlink()
    with pytest.raises(ImagesUnavailableError, match=r"the package has no one\.gz"):
        fetch(FILES, tmp_path / "cache", home=NOWHERE)
    program = package.parents[4] / "programs" / "apt-get"
    program.write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    with pytest.raises(ImagesUnavailableError, match="E: Unable to locate package"):
        fetch(FILES, tmp_path / "cache", home=NOWHERE)
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(ImagesUnavailableError, match="took more than"):
        fetch(FILES, tmp_path / "cache", home=NOWHERE, package_timeout=0.3)


def test_another_file_under_the_name_is_refused_and_kept(tmp_path, home):
    (tmp_path / "one.gz").write_bytes(b"mine")
    with pytest.raises(ImagesUnavailableError, match=r"one\.gz is not the published file"):
        fetch(FILES, tmp_path, home=home[0])
    assert (tmp_path / "one.gz").read_bytes() == b"mine"


def test_a_directory_that_cannot_be_made_is_one_message(tmp_path, home):
    (tmp_path / "file").write_text("")
    with pytest.raises(ImagesUnavailableError, match="cannot be written"):
        fetch(FILES, tmp_path / "file" / "cache", home=home[0])
