import pytest

from ecosim.pool.trie import ROOT, build


def test_options_share_their_beginnings():
    trie = build([[5, 1, 9], [5, 2, 9], [7], [5, 1, 4, 6]])
    assert trie.tokens.tolist() == [5, 1, 2, 4]
    assert trie.parents.tolist() == [ROOT, 0, 0, 1]
    assert trie.depths.tolist() == [1, 2, 2, 3]
    assert trie.lengths.tolist() == [3, 3, 1, 4]


def test_a_node_sees_itself_and_its_ancestors_only():
    trie = build([[5, 1, 9], [5, 2, 9], [5, 1, 4, 6]])
    assert trie.sees.astype(int).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 1]]


def test_steps_spell_each_option_from_the_root():
    trie = build([[5, 1], [7]])
    assert trie.steps.tolist() == [[0, ROOT, 5], [0, 0, 1], [1, ROOT, 7]]


def test_no_options_are_no_nodes_and_an_empty_option_is_refused():
    assert build([]).num_nodes == 0
    with pytest.raises(ValueError, match="option 1 of 2 has no tokens"):
        build([[5], []])
