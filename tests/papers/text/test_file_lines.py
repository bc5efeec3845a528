import gzip
import os
import random
import tracemalloc
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.errors import FileError, MalformedError
from lenslab.papers.text import file_lines as module
from lenslab.papers.text.file_lines import TooLong, lines

COMPRESSIONS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


def read(tmp_path, content, **options):
    path = tmp_path / "any-name"
    path.write_bytes(content)
    return list(lines(path, **options))


def read_until_it_breaks(path):
    found = []
    try:
        for _, _, line in lines(path):
            found.append(line)
    except MalformedError as error:
        return found, str(error)
    pytest.fail("the file was read to its end")


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
@given(texts=st.lists(st.binary(max_size=8).map(lambda line: line.replace(b"\n", b" ").replace(b"\r", b" "))))
def test_lines_come_back_with_their_numbers_however_the_file_is_compressed(tmp_path_factory, compress, texts):
    texts = [text.removeprefix(b"\xef\xbb\xbf") for text in texts]
    path = tmp_path_factory.mktemp("lines") / "file.txt"
    path.write_bytes(compress(b"\n".join([b"{}", *texts])))
    expected = [(1, b"{}")] + [(number, text) for number, text in enumerate(texts, 2) if text]
    assert [(number, line) for number, _, line in lines(path)] == expected


def test_the_offset_of_a_plain_line_leads_to_it_and_a_compressed_one_has_none(tmp_path):
    content = b"\xef\xbb\xbffirst\r\n\n" + b"x" * 700_000 + b"\nlast"
    path = tmp_path / "plain"
    path.write_bytes(content)
    for _, offset, line in lines(path):
        assert content[offset : offset + len(line)] == line
    assert [number for number, _, _ in lines(path)] == [1, 3, 4]
    assert {offset for _, offset, _ in read(tmp_path, gzip.compress(content))} == {None}


def test_a_byte_order_mark_carriage_returns_and_empty_lines_are_no_content(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbfa\r\n\r\n\nb\r\n") == [(1, 3, b"a"), (4, 9, b"b")]
    assert read(tmp_path, b"\xef\xbb\xbf") == []
    assert read(tmp_path, b"") == []
    assert read(tmp_path, b"\n\na") == [(3, 2, b"a")]


def test_a_mark_that_is_content_stays(tmp_path):
    assert read(tmp_path, b"a\n\xef\xbb\xbfb") == [(1, 0, b"a"), (2, 2, b"\xef\xbb\xbfb")]


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
@pytest.mark.parametrize("size", [10, 11, 300_000, 1_000_000])
def test_a_line_that_is_too_long_leaves_a_mark_and_the_next_ones_are_read(tmp_path, compress, size):
    found = read(tmp_path, compress(b"a\n" + b"x" * size + b"\nb\n" + b"y" * size), longest=10)
    long = b"x" * 10 if size == 10 else TooLong(size)
    last = b"y" * 10 if size == 10 else TooLong(size)
    assert [(number, line) for number, _, line in found] == [(1, b"a"), (2, long), (3, b"b"), (4, last)]


def test_a_line_of_100_megabytes_is_passed_over_in_bounded_memory(tmp_path):
    path = tmp_path / "long"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\nafter")
    tracemalloc.start()
    found = list(lines(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(1, 0, TooLong(100_000_000)), (2, 100_000_001, b"after")]
    assert peak < 40 << 20


def test_members_and_frames_that_follow_one_another_are_one_file(tmp_path):
    gzipped = gzip.compress(b"a\nb") + gzip.compress(b"c\n") + gzip.compress(b"") + b"\0" * 512
    assert [line for _, _, line in read(tmp_path, gzipped)] == [b"a", b"bc"]
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    frames = skippable + zstandard.compress(b"a\nb") + skippable + zstandard.compress(b"c\n")
    assert [line for _, _, line in read(tmp_path, frames)] == [b"a", b"bc"]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_what_is_cut_short_gives_its_whole_lines_and_then_says_where_it_ends(tmp_path, compress, share):
    texts = [b"%d %d" % (number, random.Random(number).getrandbits(200)) for number in range(20_000)]
    whole = compress(b"\n".join(texts))
    path = tmp_path / "cut"
    path.write_bytes(whole[: int(len(whole) * share)])
    found, message = read_until_it_breaks(path)
    assert found == texts[: len(found)]
    assert f"line {len(found) + 1}" in message
    assert "cut short" in message
    if compress is gzip.compress:
        # Python's own decompressor, without our bites, finds no whole line more.
        out = zlib.decompressobj(wbits=31).decompress(path.read_bytes())
        assert len(found) == out.count(b"\n")
    assert share < 0.1 or found


def test_no_whole_line_of_a_cut_file_is_lost_where_it_was_packed_small(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 100)
    path = tmp_path / "cut"
    for seed in range(60):
        chance = random.Random(seed)
        whole = gzip.compress((b"ab\n" * chance.randint(1, 3_000) + chance.randbytes(40).hex().encode()) * 3)
        path.write_bytes(whole[: chance.randint(11, len(whole) - 1)])
        found, _ = read_until_it_breaks(path)
        assert len(found) == zlib.decompressobj(wbits=31).decompress(path.read_bytes()).count(b"\n")


def test_even_a_lost_last_byte_is_told(tmp_path):
    for compress in (gzip.compress, lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data)):
        path = tmp_path / "cut"
        path.write_bytes(compress(b"a\nb\n")[:-1])
        found, message = read_until_it_breaks(path)
        assert found == [b"a", b"b"]
        assert "cut short" in message


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_damage_is_told_with_the_line_where_it_is_met(tmp_path, compress):
    whole = bytearray(compress(random.Random(0).randbytes(300_000)))
    whole[150_000:150_020] = b"\xff" * 20
    path = tmp_path / "damaged"
    path.write_bytes(bytes(whole) + b"rubbish")
    _, message = read_until_it_breaks(path)
    assert "damaged" in message
    assert "line " in message


def zeros(count):
    gzipped = zlib.compressobj(9, wbits=31)
    return b"".join(gzipped.compress(b"0" * 1_000_000) for _ in range(count)) + gzipped.flush()


@pytest.mark.slow
@pytest.mark.parametrize("bomb", [zeros, lambda count: zstandard.compress(b"0" * (count * 1_000_000))])
def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path, bomb):
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(b"a\n") * (bomb is zeros) + bomb(150))
    tracemalloc.start()
    with pytest.raises(MalformedError, match="expands more than 200-fold"):
        list(lines(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 << 20


def test_a_small_file_may_expand_as_it_likes(tmp_path):
    assert read(tmp_path, gzip.compress(b"x" * 5_000_000)) == [(1, None, b"x" * 5_000_000)]


def test_a_frame_that_asks_for_gigabytes_of_window_is_refused(tmp_path):
    parameters = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=False)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(MalformedError, match="too much memory"):
        read(tmp_path, frame.compress(b"a\n") + frame.flush())


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04", "ZIP"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"PAR1", "Parquet"),
        (b"\xff\xfe{\0", "UTF-16"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path, head, kind):
    with pytest.raises(MalformedError, match=kind):
        read(tmp_path, head + b"rest")


def test_what_is_no_file_is_named(tmp_path):
    for path, reason in [
        (tmp_path, "is a folder"),
        (tmp_path / "none", "there is no file"),
        ("a\0b", "cannot be read"),
    ]:
        with pytest.raises(FileError, match=reason):
            list(lines(path))
    with pytest.raises(FileError, match="cannot be read: File name too long"):
        list(lines(tmp_path / ("x" * 5_000)))


def test_a_pipe_is_read_like_a_file():
    reading, writing = os.pipe()
    os.write(writing, gzip.compress(b"a\nb"))
    os.close(writing)
    assert [line for _, _, line in lines(f"/dev/fd/{reading}")] == [b"a", b"b"]
    os.close(reading)


def test_a_chunk_may_end_anywhere(tmp_path, monkeypatch):
    content = b"\xef\xbb\xbfab\r\ncdefghi\n\nij\r\n"
    for chunk in range(3, 12):
        monkeypatch.setattr(module, "_CHUNK", chunk)
        assert read(tmp_path, content, longest=6) == [(1, 3, b"ab"), (2, 7, TooLong(7)), (4, 16, b"ij")]
        assert [line for _, _, line in read(tmp_path, gzip.compress(content), longest=6)] == [b"ab", TooLong(7), b"ij"]
