"""The notebook runs on the demo's results, and they are what its text says."""

import warnings

import matplotlib
import nbformat
import pytest

from conftest import ROOT

NOTEBOOK = nbformat.read(ROOT / "examples" / "explore.ipynb", as_version=4)
CODE = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def ran(demo_run) -> dict:
    """The variables that the notebook's cells leave behind."""
    matplotlib.use("Agg")
    variables = {}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.chdir(demo_run.folder)
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
        for number, cell in enumerate(CODE):
            exec(compile(cell.source, f"explore.ipynb, code cell {number}", "exec"), variables)
    return variables


def test_neighbours_in_the_full_space_and_in_the_map_differ_as_described(ran):
    kept = ran["features"].groupby("layer").kept.mean()
    assert kept.between(0.28, 0.42).all()
    words, music = ran["words"], ran["music"]
    assert {"instrument", "song", "poetry", "dance"} < set(words[ran["nearest"].index[:5]])
    assert {"poetry", "dance"} < set(words[ran["missing"].index])
    assert ran["in_map"].neighbour.mean() == pytest.approx(ran["layer"].kept[music])
    strangers = ran["in_map"][~ran["in_map"].neighbour]
    assert strangers.cosine[words[strangers.index] == "silent"].item() == pytest.approx(0.08, abs=0.005)
    poetry = ran["feature"]("poetry")
    assert ran["layer"].neighbors[poetry][0] == music


def test_tracks_are_as_described(ran):
    track = ran["track"](ran["music"])
    assert list(track.index) == list(range(6))
    assert track.cosine_first[5] == pytest.approx(0.53, abs=0.005)
    assert track.label.str.contains("song").all()
    assert track["index"][1:].nunique() == 1
    frame, layer = ran["frame"], ran["layer"]
    vessel, shipment = ran["ships"]
    assert frame.previous.nunique() == 1
    assert list(frame.previous_mutual[[vessel, shipment]]) == [False, True]
    assert "shipment" in layer.label[shipment]
    assert len(ran["track"](vessel)) == 1 < len(ran["track"](shipment))


def test_the_region_reaches_from_sound_to_screens(ran):
    assert {"music", "voice", "heard", "stage", "film", "screen"} < set(ran["words"][ran["inside"].index])


def test_the_committed_notebook_shows_its_results_and_nothing_of_a_machine():
    outputs = [output for cell in CODE for output in cell.outputs]
    assert all(cell.outputs and not cell.metadata for cell in CODE)
    assert {output.output_type for output in outputs} <= {"execute_result", "display_data"}
    figures = [output.data["image/png"] for output in outputs if "image/png" in output.data]
    assert len(figures) == 1
    assert len(figures[0]) * 3 / 4 < 80_000
