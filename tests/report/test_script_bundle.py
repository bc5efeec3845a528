import pytest

from lenslab.report import MissingBundleError
from lenslab.report.script_bundle import Bundle, embeddable, read_bundle


@pytest.mark.parametrize("missing", ["report.js", "report.css"])
def test_a_bundle_that_is_not_built_is_named_with_the_next_step(tmp_path, missing):
    for name in {"report.js", "report.css"} - {missing}:
        (tmp_path / name).write_text("")
    with pytest.raises(MissingBundleError, match=f"no {missing} in .*npm ci && npm run build"):
        read_bundle(tmp_path)


def test_no_string_of_a_script_or_style_ends_its_element(tmp_path):
    (tmp_path / "report.js").write_text("a('</SCRIPT><!-- <b>')")
    (tmp_path / "report.css").write_text("a::after { content: '</style>' }")
    bundle = read_bundle(tmp_path)
    assert bundle.script == r"a('\x3c/SCRIPT>\x3c!-- <b>')"
    assert "</style" not in bundle.style


def test_code_that_only_compares_stays_as_it_is():
    assert embeddable("a<b; c</d/.x; '<p>'") == "a<b; c</d/.x; '<p>'"


def test_another_script_is_another_policy():
    assert Bundle("a", "").policy != Bundle("b", "").policy
