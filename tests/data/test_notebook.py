from pathlib import Path

import pytest

from tests.data.test_stats import store  # noqa: F401  # the workspace that the notebook looks at

pytestmark = pytest.mark.heavy

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_data_exploration.ipynb"


def test_the_notebook_holds_no_outputs_and_short_cells() -> None:
    nbformat = pytest.importorskip("nbformat")
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert len(cells) > 10
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    assert max(len(cell.source.splitlines()) for cell in cells) <= 10
    assert cells[0].source.startswith('root = ".."')


def test_the_notebook_runs_on_a_workspace(store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    from seshat.data.stats import data_stats
    from tests.data.test_stats import LANGUAGE

    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))  # the kernel is a process of its own
    data_stats(store, LANGUAGE)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = f"root = {str(tmp_path)!r}"
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "5 sentence pairs, 3 examples" in said
    assert "outside the alphabet: δ" in said
    assert "ratio: 1" in said
