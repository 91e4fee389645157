from pathlib import Path

import pytest

from ecosim import catalog
from ecosim.errors import CatalogError

GOOD = """
role: baker
about: Bakes.
licence: Apache-2.0
questions:
  bake:
    reads: {flour: units/1e6}
    fields:
      act: {ask: "Answer:"}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "baker" / "card.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_every_card_names_its_folder_and_has_all_its_prompts():
    cards = catalog.cards()
    assert {"distributor", "manufacturer", "supplier"} <= set(cards)
    for role, card in cards.items():
        assert card.role == role
        for phase in card.questions:
            shared, own = card.template(phase)
            assert shared.strip() and own.strip()


def test_what_a_card_leaves_out_has_one_default(tmp_path):
    card = catalog.read_card(written(tmp_path, GOOD))
    field = card.questions["bake"].fields["act"]
    assert (card.questions["bake"].prompt, field.choose, field.normalise, field.menu) == ("bake.j2", "argmax", "sum", 8)


def test_answers_by_letter_need_letters_enough(tmp_path):
    card = catalog.read_card(written(tmp_path, GOOD.replace('"Answer:"}', '"Answer:", answer: label, menu: 52}')))
    assert card.questions["bake"].fields["act"].answer == "label"
    with pytest.raises(CatalogError, match=r"fields\.act: menu is 53, but answer: label has 52 letters"):
        catalog.read_card(written(tmp_path, GOOD.replace('"Answer:"}', '"Answer:", answer: label, menu: 53}')))


def test_all_faults_of_a_card_come_at_once_with_place_and_value(tmp_path):
    text = GOOD.replace("about:", "abuot:").replace('"Answer:"}', '"Answer:", temperature: 0, choose: best}')
    with pytest.raises(CatalogError) as error:
        catalog.read_card(written(tmp_path, text))
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert all("card.yaml:" in line for line in lines)
    assert any("about: missing" in line for line in lines)
    assert any("unknown key 'abuot'" in line for line in lines)
    assert any("questions.bake.fields.act.temperature: input should be greater than 0, got 0" in line for line in lines)
    assert any("choose: input should be 'argmax' or 'sample', got 'best'" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD.replace("role: baker", "role: miller"), "role: must be the folder's name 'baker', got 'miller'"),
        (GOOD + "role: baker\n", "key 'role' is given twice"),
        ("just words", "expected keys and values, got 'just words'"),
        ("role: [", "not valid YAML"),
        (GOOD.replace("bake:\n", "bake:\n    prompt: ../../secret.j2\n"), "prompt: string should match pattern"),
    ],
)
def test_a_bad_card_is_refused(tmp_path, text, fault):
    with pytest.raises(CatalogError, match=fault):
        catalog.read_card(written(tmp_path, text))


def test_a_prompt_needs_its_dividing_line(tmp_path):
    card = catalog.read_card(written(tmp_path, GOOD))
    with pytest.raises(CatalogError, match=r"bake\.j2: cannot be read"):
        card.template("bake")
    (card.folder / "bake.j2").write_text("no line here")
    with pytest.raises(CatalogError, match=r"needs one line '=====' .* found 0"):
        card.template("bake")


def test_unknown_names_list_the_known_ones():
    with pytest.raises(CatalogError, match=r"no role '\.\./distributor'; known: .*distributor"):
        catalog.card("../distributor")
    with pytest.raises(CatalogError, match=r"no scenario 'smart'; known: .*or give a path"):
        catalog.scenario_path("smart")
