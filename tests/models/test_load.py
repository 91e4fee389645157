import os
import platform
import subprocess
import sys

import pytest

from ecosim.errors import CatalogError
from ecosim.models.load import load, numerics_state, rows_have_their_bits

IS_X86 = platform.machine().lower() in ("x86_64", "amd64")


def in_a_new_process(code: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "MKL_CBWR"}
    run = [sys.executable, "-c", f"import os\n{code}"]
    return subprocess.run(run, env=kept | environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(not IS_X86, reason="MKL is for x86")
def test_the_numerics_switch_is_set_unless_the_user_set_it():
    code = "from ecosim.models.load import set_numerics_environment as s; s(); print(os.environ['MKL_CBWR'])"
    assert in_a_new_process(code) in ("AVX512,STRICT", "AVX2,STRICT", "COMPATIBLE")
    assert in_a_new_process(code, MKL_CBWR="COMPATIBLE") == "COMPATIBLE"


@pytest.mark.skipif(not IS_X86, reason="MKL is for x86")
def test_a_switch_that_came_after_torch_is_recorded():
    code = "import torch\nfrom ecosim.models.load import *; set_numerics_environment(); "
    assert in_a_new_process(code + "print(numerics_state()['torch_came_first'])") == "True"
    assert numerics_state()["torch_came_first"] is False


def test_a_model_is_read_only_and_says_its_numerics(tiny):
    assert (tiny.numerics, tiny.dtype, tiny.device) == ("reproducible", "float32", "cpu")
    assert not any(p.requires_grad for p in tiny.model.parameters())
    assert tiny.model.config._attn_implementation == "eager"


def test_what_cannot_be_loaded_is_one_clear_line(tiny_folder, tmp_path):
    with pytest.raises(CatalogError, match="device must be auto, cpu or cuda, got 'tpu'"):
        load(f"path:{tiny_folder}", device="tpu")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes((tiny_folder / "model.safetensors").read_bytes())
    with pytest.raises(CatalogError, match="is not a causal language model that loads") as error:
        load(f"path:{tmp_path}")
    assert "\n" not in str(error.value)


LOADS = """
import torch, warnings
{first}
from ecosim.models.load import load, rows_have_their_bits
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    load("path:{folder}", numerics="{numerics}", device="cpu")
said = [str(w.message) for w in seen if w.category is UserWarning and "MKL_CBWR" in str(w.message)]
print(len(said), rows_have_their_bits(), *said)
"""
MULTIPLIES = "torch.randn(300, 300) @ torch.randn(300, 300)"


@pytest.mark.slow
@pytest.mark.skipif(not IS_X86, reason="MKL is for x86")
def test_a_switch_that_came_too_late_to_work_is_told_once_with_the_way_out(tiny_folder):
    """Whether it is void is measured; on Intel processors it is, once torch has multiplied."""
    said = in_a_new_process(LOADS.format(first=MULTIPLIES, folder=tiny_folder, numerics="reproducible"))
    if said.startswith("0 True"):
        pytest.skip("rows have their bits without the switch here")
    assert said.startswith("1 False torch was used before ecosim could set MKL_CBWR=")
    assert "Restart the kernel and import ecosim before using torch, or export MKL_CBWR" in said


@pytest.mark.slow
@pytest.mark.skipif(not IS_X86, reason="MKL is for x86")
def test_a_torch_that_was_imported_first_but_not_used_is_no_fault(tiny_folder):
    if not rows_have_their_bits():
        pytest.skip("rows do not have their bits here at all; the manifest says so")
    said = in_a_new_process(LOADS.format(first="", folder=tiny_folder, numerics="reproducible"))
    assert said == "0 True"
