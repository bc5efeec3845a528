import pytest

from lenslab.papers.terms.document_frequencies import shipped_frequencies
from lenslab.papers.text.plurals import singular

PAIRS = """
unit units, class classes, category categories, box boxes, movie movies, cache caches, axis axes,
corpus corpora, matrix matrices, index indices, index indexes, vertex vertices, analysis analyses,
hypothesis hypotheses, criterion criteria, phenomenon phenomena, medium mediums, bacterium bacteria,
stimulus stimuli, nucleus nuclei, radius radii, locus loci, focus foci, genus genera, lemma lemmas,
lemma lemmata, schema schemas, schema schemata, formula formulas, formula formulae, leaf leaves,
half halves, knife knives, wolf wolves, life lives, shelf shelves, tooth teeth, foot feet, mouse
mice, child children, man men, woman women, bias biases, lens lenses, virus viruses, bus buses, gas
gases, status statuses, process processes, loss losses, quiz quizzes, hero heroes, echo echoes,
photo photos, study studies, cookie cookies, eigenvalue eigenvalues, size sizes, maze mazes, phase
phases, case cases, database databases, codebase codebases, basis bases, response responses, lattice
lattices, slice slices, device devices, image images, niche niches, batch batches, minibatch
minibatches, moustache moustaches, graph graphs, proof proofs, belief beliefs, ellipse ellipses,
thesis theses, synthesis syntheses, crisis crises, parenthesis parentheses, simplex simplices,
appendix appendices, helix helices, vortex vortices, cortex cortices, automaton automata, polyhedron
polyhedra, spectrum spectra, quantum quanta, maximum maxima, optimum optima, extremum extrema,
momentum momenta, equilibrium equilibria, stratum strata, torus tori, modulus moduli, syllabus
syllabi, apparatus apparatuses, consensus consensuses, pie pies, tree trees, shoe shoes, valve
valves, archive archives, key keys, query queries, entropy entropies, policy policies, atlas
atlases, alias aliases, canvas canvases, larva larvae, nebula nebulae, supernova supernovae,
submatrix submatrices, hyperparameter hyperparameters, autoencoder autoencoders, cnn cnns,
multi-criterion multi-criteria, k-fold k-folds
"""
WHOLE = """
corpus analysis class loss bias gas series species physics chaos news dynamics robotics mathematics
statistics k-means bayes axis basis thesis lens canvas atlas alias virus status process consensus
general data media dice
"""


@pytest.mark.parametrize("pair", [" ".join(pair.split()) for pair in PAIRS.split(",")])
def test_singular_and_plural_are_one_word(pair):
    one, many = pair.split()
    assert singular(many) == singular(one) == one


@pytest.mark.parametrize("word", WHOLE.split())
def test_words_that_only_look_like_plurals_stay(word):
    assert singular(word) == word


def test_different_words_of_one_root_stay_two():
    assert len({singular(word) for word in ("class", "classification", "general", "generalization")}) == 4


def test_what_is_shipped_was_counted_by_this_rule():
    words = {word for term in shipped_frequencies().terms for word in term.split()}
    assert len(words) > 10_000
    assert {"movie", "cache", "corpus"} <= words
    assert not {"movy", "movies", "cach", "corpora"} & words
    assert [word for word in sorted(words) if singular(word) != word] == []
