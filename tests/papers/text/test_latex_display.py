import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.text.latex_display import plain_text, prose, segments


def shown(source):
    return [(segment.kind, segment.text) for segment in segments(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"C. Bal\'azs and na\"{\i}ve \v{S}koda", "C. Balázs and naïve Škoda"),
        (r"Fran\c{c}ois, Erd\H{o}s, \o re, \ss{}t, \AA ngstr\"om", "François, Erdős, øre, ßt, Ångström"),
        (r"Poincar{\'e}", "Poincaré"),
        (r"50\% of A\&B\_C \#1 \$5 \{x\}", "50% of A&B_C #1 $5 {x}"),
        ("``quoted'' words --- 5--6~km", "“quoted” words — 5–6 km"),
        (r"\emph{one} \textbf{two} {\it three} four", "one two three four"),
        (r"\unknown{kept} \macro kept too", r"kept \macro kept too"),
        ("5--6 of ten", "5–6 of ten"),
        ("``one''", "“one”"),
        ("hard\n  wrapped\n text", "hard wrapped text"),
        (r"the $\alpha$-skeleton of $L_{1}$", "the α-skeleton of L_1"),
        (r"nets (\eg, ResNet) at 360\deg, \ie all of M_\odot", "nets (e.g., ResNet) at 360°, i.e. all of M_⊙"),
        (r"in $O(n\log\log n)$ of $x_\max$", "in O(n log log n) of x_max"),
        (r"only b\log a of \LaTeX source", "only blog a of LaTeX source"),
        (r"{\color{red} in} \textcolor{blue}{colour}", "in colour"),
        (r"done\footnote{In part.} with \verb|a_b|", "done (In part.) with a_b"),
        (r"two: \begin{itemize} \item one \item two \end{itemize} parts", "two: one two parts"),
    ],
)
def test_tex_becomes_what_a_reader_reads(source, expected):
    assert plain_text(source).replace("\u00a0", " ") == expected


def test_emphasis_formulas_citations_and_links_are_segments():
    source = r"On \emph{units} of $L_1$ \cite[p.~3]{a2018b, c} at \url{https://example.org/x\_y} (arXiv:1806.02891)"
    assert [segment for segment in shown(source) if segment[0] != "text"] == [
        ("emphasis", "units"),
        ("formula", "L_1"),
        ("citation", "a2018b"),
        ("citation", "c"),
        ("link", "https://example.org/x_y"),
        ("link", "arXiv:1806.02891"),
    ]
    links = [segment.target for segment in segments(source) if segment.kind == "link"]
    assert links == ["https://example.org/x_y", "https://arxiv.org/abs/1806.02891"]


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        (r"\cite{a2018b}", ["a2018b"]),
        (r"\citep[see][p.~3]{a2018b,c2019d , e2020f}", ["a2018b", "c2019d", "e2020f"]),
        (r"\citet* [{\it cf.}] {a2018b}", ["a2018b"]),
        (r"\textcite[12]{a2018b} and \Citeauthor{c}", ["a2018b", "c"]),
        (r"\parencite{a}\autocite{b}\footcite{c}", ["a", "b", "c"]),
        (r"\cite{}, \cite{,} and \cite{ a }", ["a"]),
    ],
)
def test_every_command_that_cites_gives_its_keys_and_leaves_out_its_notes(source, keys):
    assert [segment.target for segment in segments(source) if segment.kind == "citation"] == keys
    assert plain_text(source).strip(" ,") in ("", "and")


def test_a_link_with_words_shows_them_and_goes_to_its_address():
    (link,) = segments(r"\href{https://example.org/a}{the \emph{code}}")
    assert (link.kind, link.text, link.target) == ("link", "the code", "https://example.org/a")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//example.org", " https://a b"])
def test_an_address_that_is_not_http_is_no_link(address):
    assert all(segment.kind != "link" for segment in segments(rf"\href{{{address}}}{{words}}"))
    assert "words" in plain_text(rf"\href{{{address}}}{{words}}")


def test_a_formula_inside_of_emphasis_stays_a_formula():
    assert shown(r"\textbf{norm $x$ here}") == [("strong", "norm "), ("formula", "x"), ("strong", " here")]


@pytest.mark.parametrize(
    "source", ["costs $5", "$", "$$", "from $5 to $10", "a $ b", "$48-$74 against $100", "$5M, then $ 2"]
)
def test_a_dollar_sign_without_a_partner_is_shown_as_it_is(source):
    assert plain_text(source) == source
    assert all(segment.kind == "text" for segment in segments(source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"256$\times$256 pixels", "256×256 pixels"),
        (r"$3\times$4 pixels", "3×4 pixels"),
        (r"only $\sim$50%", "only ∼50%"),
        ("a cut of sF1$=$72", "a cut of sF1=72"),
        (r"$500 against $\geq$ $100,000", "$500 against ≥ $100,000"),
    ],
)
def test_a_formula_may_stand_before_a_digit(source, expected):
    assert plain_text(source) == expected


def test_a_dollar_sign_with_a_backslash_does_not_end_a_formula():
    assert shown(r"$a \$ b$") == [("formula", r"a \$ b")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"as found \cite{a}.", "as found."),
        (r"as found (\cite{a}, \cite{b}) before", "as found before"),
        (r"as \cite{a} found", "as found"),
    ],
)
def test_plain_text_closes_the_gap_that_a_citation_leaves(source, expected):
    assert plain_text(source) == expected


def test_prose_breaks_where_a_formula_or_an_address_stood():
    assert prose(r"weight $L_1$ norm at https://example.org now") == "weight ; norm at ; now"


def test_signs_that_turn_a_line_around_are_not_shown():
    assert plain_text("a\x1b[31mred\u202eback\x00") == "a [31mred back"
    assert plain_text("a\x1b[31mred\x00") == "a [31mred"


words = st.lists(st.from_regex(r"[A-Za-zäöüéłøñ]{1,10}", fullmatch=True), min_size=1, max_size=12)
pieces = [
    *("{", "}", "$", "$$", "\\", r"\emph{", r"\textbf", r"\cite{k}", r"\cite[", "]", r"\'", r"\c ", r"{\it ", "~", "%"),
    *(r"\href{", "}{", "https://a.b/c", "arXiv:1806.02891", "\n", " ", "<script>", "--", "``", "''", r"\alpha", r"\$"),
    *("word", "é", "\U0001f600", "10.1000/x"),
]
tex = st.lists(st.sampled_from(pieces), max_size=30).map("".join)


@given(st.one_of(st.text(max_size=200), tex))
def test_nothing_that_an_author_types_is_an_error(source):
    for segment in segments(source):
        assert segment.text
        assert segment.kind != "link" or re.match(r"https?://[^\s\"'<>]+$", segment.target, re.IGNORECASE)
    plain_text(source)
    prose(source)


@given(words)
def test_plain_words_come_out_as_they_went_in(some):
    source = " ".join(some)
    assert plain_text(source) == source
    assert shown(source) == [("text", source)]


@given(
    st.text(alphabet="aé.: \n\t\u00a0\x00\x1f'-`", max_size=40),
    st.sampled_from(["https://a.b/c", "arXiv:1806.02891", ""]),
)
def test_a_text_without_tex_is_read_as_the_walk_reads_it(source, address):
    # The empty group says nothing, and makes the text be walked.
    text = f"{source} {address} x"
    assert segments(text) == segments(f"{text}{{}}")
    assert plain_text(text) == plain_text(f"{text}{{}}")


@given(words, st.data())
def test_no_word_is_lost_whatever_signs_stand_between(some, data):
    signs = st.sampled_from([" ", " {", "} ", " $ ", "{", " \\\\ ", " \\& ", " }{ ", "\n", r" \emph{", " ~ "])
    source = "".join(word + data.draw(signs) for word in some)
    kept = "".join(segment.text for segment in segments(source)).replace("\\emph", "")
    assert "".join(re.findall(r"[^\W\d_]", kept)) == "".join(some)


SIGNS = ["{", "$", "$x", "\\emph{", "\\cite[", "http://)", "10.1000/"]
FURTHER = [
    *("~", "--", "\\", "\\ ", "\\{", "$ ", "$$ ", "{$", "\\cite{a,", "\\c "),
    *("}", "$1", "[", "\\'", "{}", "http://", "\\href{"),
]


def took(source):
    started = time.process_time()
    segments(source)
    plain_text(source)
    return time.process_time() - started


def grows_with_its_length(make):
    """Tell whether four times the length takes four times as long and not sixteen; a machine may pause now and then."""
    return any(took(make(100_000)) < 8 * max(took(make(25_000)), 0.005) for _ in range(3))


@pytest.mark.slow
@pytest.mark.parametrize("sign", [*SIGNS, *[pytest.param(sign, marks=pytest.mark.thorough) for sign in FURTHER]])
def test_a_long_run_of_one_sign_takes_time_that_grows_with_its_length(sign):
    assert grows_with_its_length(lambda length: sign * (length // len(sign)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda length: "{" * length + "}" * length,
        lambda length: "http://a" + ")" * length,
        lambda length: "\\cite" + "[" * length,
        lambda length: "\\cite{k}" + "(," * length,
        lambda length: "\\verb|" + "a" * length,
    ],
)
def test_a_long_word_of_signs_takes_time_that_grows_with_its_length(make):
    assert grows_with_its_length(make)
