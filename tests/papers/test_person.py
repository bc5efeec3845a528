import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.person import TIE, Person, surname
from tests.papers.written import followed, particled, people


@pytest.mark.parametrize(
    ("name", "person", "spoken"),
    [
        ("Ada Lovelace", Person("Lovelace", "Ada"), "Ada Lovelace"),
        ("Lovelace,  Ada\n King", Person("Lovelace", "Ada King"), "Ada King Lovelace"),
        ("Stan van Wingerden", Person("van Wingerden", "Stan"), "Stan van Wingerden"),
        ("Berger, Jr., E. L.", Person("Berger", "E. L.", "Jr."), "E. L. Berger Jr."),
        ("Berger, E. L., Jr.", Person("Berger", "E. L.", "Jr."), "E. L. Berger Jr."),
        ("Sammy Davis III", Person("Davis", "Sammy", "III"), "Sammy Davis III"),
        ("Robert Heath, Jr.", Person("Heath", "Robert", "Jr."), "Robert Heath Jr."),
        ("ATLAS", Person("ATLAS"), "ATLAS"),
        ("The ATLAS Collaboration", Person("The ATLAS Collaboration"), "The ATLAS Collaboration"),
        ("Plato,", Person("Plato"), "Plato"),
        ("", Person(""), ""),
        (" , ,", Person(""), ""),
    ],
)
def test_a_name_is_taken_apart_in_whichever_order_it_is_written(name, person, spoken):
    assert Person.parse(name) == person
    assert str(person) == spoken


@given(people | particled | followed)
def test_a_name_in_its_spoken_order_stays_as_it_is_and_so_does_the_person_with_the_family_first(name):
    person = Person.parse(name)
    assert str(person) == name
    assert str(Person.parse(person.family_first)) == name


@given(st.text(max_size=30).filter(lambda text: TIE not in text))
def test_any_text_is_a_name_whose_words_are_kept(text):
    person = Person.parse(text)
    assert sorted(str(person).split()) == sorted(text.replace(",", " ").split())


parts = st.lists(st.text(alphabet="aAbB.-'é北", min_size=1, max_size=5), max_size=3).map(" ".join)


@given(parts, parts, st.sampled_from(["", "Jr.", "III", "MD", "Ph.D."]))
def test_whatever_parts_a_source_states_are_kept_in_the_spoken_order(family, given_names, suffix):
    person = Person.of(family=family, given=given_names, suffix=suffix)
    assert Person.parse(str(person)) == person
    assert str(person).replace(TIE, " ").split() == [*given_names.split(), *family.split(), *suffix.split()]
    assert surname(str(person)) == person.family


@given(parts.filter(bool), parts, st.sampled_from(["", "Jr.", "III"]))
def test_whatever_parts_a_source_states_are_kept_with_the_family_first(family, given_names, suffix):
    person = Person.of(family=family, given=given_names, suffix=suffix)
    assert Person.parse(person.family_first) == person


ORGANISATIONS = ["Barnes and Noble, Inc.", "Acme,Inc", "Sample Labs", "Max Sample Institute, Munich"]


@pytest.mark.parametrize("name", [*ORGANISATIONS, "World Health Organization", "The ATLAS Collaboration", "Plato"])
def test_an_organisation_is_one_name_with_its_commas(name):
    assert Person.parse(str(Person(name))) == Person(name)
    assert Person.parse(Person(name).family_first) == Person(name)
    assert surname(str(Person(name))) == name


def test_names_that_words_alone_take_apart_rightly_stay_plain():
    assert str(Person("van Wingerden", "Stan")) == "Stan van Wingerden"
    assert str(Person("Berger", "E. L.", "Jr.")) == "E. L. Berger Jr."
