"""The workflow as its users run it: what is planned, and what runs again after a change."""

import re

import pytest

from conftest import ROOT, Project

LISTED = {"write_manifest", "write_index", "draw_model"}
PER_MODEL = {"tabulate_features", "tabulate_quality", *LISTED}
EXPORTED = {"export_layer", "export_frame", "tabulate_features", "draw_layer", *LISTED}
ATLAS = {"measure_atlas", "export_frame", "tabulate_features", "draw_atlas", *LISTED}
FRAME = {"lay_out_atlas", "refine_frame", *ATLAS}
REGIONS = {"name_regions", "tabulate_regions"}
MEASURED = {"measure_quality", "tabulate_quality", *EXPORTED, *ATLAS}
LAID_OUT = {"compute_coords", *REGIONS, *FRAME, *MEASURED}
GEOMETRY = {"compute_neighbors", "compute_edges", *LAID_OUT}
LABELLED = {"fetch_labels", "follow_features", *REGIONS, *MEASURED}
OF_ATLAS = {"match_layers", "chain_features", "follow_features", "tabulate_regions", *FRAME} - {
    "refine_frame",
    "export_frame",
    "tabulate_features",
    *LISTED,
}
PER_LAYER = {"fetch_decoder", "fetch_labels", "summarize_decoder", *GEOMETRY} - PER_MODEL - OF_ATLAS


def test_nothing_changed_runs_nothing(toy_run):
    assert "Nothing to be done" in toy_run.snakemake("--dry-run").stdout


# config/README.md, "What a change reruns": the documented row, a change, what runs again, and whether the decoder is
# needed for it, so that it is fetched again if decoders are not kept.
RERUNS = [
    ("`edges`", {"edges": {"threshold": 0.3}}, {"compute_edges", *MEASURED}, False),
    ("`edges`", {"edges": {"k": 5}}, {"compute_edges", *MEASURED}, False),
    ("`layout`", {"layout": {"seed": 43}}, LAID_OUT, True),
    ("`layout`", {"layout": {"neighbor_embedding": {"n_neighbors": 8}}}, LAID_OUT, True),
    ("parameters of the method not chosen in `layout`", {"layout": {"umap": {"min_dist": 0.5}}}, set(), False),
    ("`neighbors`", {"neighbors": {"k": 45}}, GEOMETRY, True),
    ("`quality`, `labels.min_coverage`", {"quality": {"min_kept_15": 0.04}}, LISTED, False),
    ("`quality`, `labels.min_coverage`", {"labels": {"min_coverage": 0.5}}, LISTED, False),
    ("any other key of `labels`", {"labels": {"source": "none"}}, LABELLED, False),
    ("`regions`", {"regions": {"features_per_region": [90, 30, 9]}}, {*REGIONS, *EXPORTED}, False),
    ("`export.decimals`", {"export": {"decimals": 3}}, EXPORTED, False),
    ("`export.gzip`", {"export": {"gzip": False}}, LISTED, False),
    ("`models`, `layers`", {"layers": "0"}, PER_MODEL, False),
    ("`atlas.layout`", {"atlas": {"layout": {"spring_strength": 0.1}}}, FRAME, False),
    (
        "`atlas.tracks`",
        {"atlas": {"tracks": {"min_cosine_first": 0.5}}},
        {"follow_features", "tabulate_regions", *ATLAS},
        False,
    ),
    ("`atlas.enabled`", {"atlas": {"enabled": False}}, {"tabulate_features", *LISTED}, False),
    (
        "`network`, `weights.max_download_gb`",
        {"network": {"downloads": 1}, "weights": {"max_download_gb": 1}},
        set(),
        False,
    ),
    ("`weights.keep_decoders`", {"weights": {"keep_decoders": False}, "atlas": {"enabled": True}}, set(), False),
    ("`publish`", {"publish": {"site": {"max_mb": 5}}}, set(), False),
]


@pytest.mark.parametrize(("row", "change", "rules", "needs_decoder"), RERUNS)
def test_a_changed_setting_reruns_what_depends_on_it(toy_run, tmp_path, row, change, rules, needs_decoder):
    assert toy_run.changed(tmp_path / "changed.yaml", change).pending().keys() == rules


DROPPED = {"weights": {"keep_decoders": False}, "atlas": {"enabled": True}}
# What reads a decoder, and what reads no more than that does.
FROM_DECODERS = {"compute_neighbors", "compute_edges", "summarize_decoder", "match_layers", "chain_features"}


@pytest.fixture(scope="module")
def dropped_run(toy_run, tmp_path_factory) -> Project:
    """The toy run as it is if decoders are deleted after use."""
    folder = tmp_path_factory.mktemp("dropped")
    project = toy_run.copy(folder / "project")
    for decoder in project.folder.glob("results/toy/*/decoder.npy"):
        decoder.unlink()
    return project.changed(folder / "dropped.yaml", DROPPED)


@pytest.mark.parametrize(("row", "change", "rules", "needs_decoder"), [row for row in RERUNS if row[3]])
def test_decoders_that_were_dropped_are_fetched_by_what_needs_them(
    dropped_run, tmp_path, row, change, rules, needs_decoder
):
    pending = dropped_run.changed(tmp_path / "changed.yaml", change).pending().keys()
    assert "fetch_decoder" in pending
    assert pending - {"fetch_decoder", "follow_features", *FROM_DECODERS} <= rules
    assert pending >= rules


def test_decoders_that_were_dropped_are_not_fetched_for_anything_else(dropped_run, tmp_path):
    project, expected = dropped_run, set()
    for number, (row, change, rules, needs_decoder) in enumerate(RERUNS):
        # Of one layer there is no atlas.
        if not needs_decoder and row not in ("`models`, `layers`", "`atlas.enabled`"):
            project, expected = project.changed(tmp_path / f"{number}.yaml", change), expected | rules
    assert project.pending().keys() == expected - {"measure_quality", "tabulate_quality"}


def test_decoders_that_were_dropped_are_not_fetched_to_be_kept(dropped_run, tmp_path):
    assert dropped_run.changed(tmp_path / "kept.yaml", {"weights": {"keep_decoders": True}}).pending() == {}


def test_where_decoders_are_dropped_an_atlas_is_made_on_request_alone(dropped_run, tmp_path):
    project = dropped_run.changed(tmp_path / "auto.yaml", {"atlas": {"enabled": "auto"}})
    assert project.pending().keys() == {"tabulate_features", *LISTED}
    assert "export_frame" not in project.pending("--forceall")


def test_a_map_below_a_floor_is_no_longer_listed_and_nothing_is_measured_again(toy, tmp_path):
    done = toy.changed(tmp_path / "changed.yaml", {"quality": {"min_kept_15": 0.9}}).snakemake(check=False)
    assert done.returncode
    assert "layer-0.json: kept_15 is" in done.stdout
    assert "below quality.min_kept_15 (0.9)" in done.stdout
    assert not (toy.folder / "results/toy/manifest.json").exists()
    assert (toy.folder / "results/toy/layer-0.json").exists()
    changed = toy.changed(tmp_path / "changed.yaml", {"quality": {"min_kept_15": 0.03}})
    assert changed.pending().keys() == LISTED


def test_the_documented_table_has_these_rows():
    text = (ROOT / "config" / "README.md").read_text().partition("## What a change reruns")[2]
    rows = [line.split("|")[1].strip() for line in text.partition("##")[0].splitlines() if line.startswith("|")]
    assert rows[2:] == [*dict.fromkeys(row for row, *_ in RERUNS), "a row of a catalogue"]


def test_an_atlas_spans_gaps_and_needs_two_layers(toy_run, tmp_path):
    demo = Project(toy_run.folder, "config/demo.yaml")
    gaps = demo.changed(tmp_path / "gaps.yaml", {"layers": "0,3-5"})
    told = gaps.snakemake("--dry-run", "--quiet", "host").stdout
    assert {*re.findall(r"layer-(\d)/matches-(\d)", told)} == {("0", "3"), ("3", "4"), ("4", "5")}
    alone = gaps.changed(tmp_path / "alone.yaml", {"layers": "2"})
    assert "export_frame" not in alone.pending()
    for project, layer, reason in (
        (gaps, 1, "spans the selected layers, and 1 is not among them: [0, 3, 4, 5]"),
        (alone, 2, "needs two layers or more, and only [2] is selected"),
    ):
        refused = project.snakemake("--dry-run", f"results/minilm-l6/atlas/layer-{layer}.json", check=False).stdout
        assert f"the atlas of minilm-l6 {reason}" in refused


def test_a_number_of_the_command_line_is_a_number(toy_run):
    assert toy_run.pending("--config", "edges={threshold: 0.25}") == {}


def test_an_edited_library_file_reruns_its_users(toy):
    for name in ("labels/explanations.py", "job.py", "planning/settings.py"):
        with (toy.folder / "scripts" / "lib" / name).open("a") as file:
            file.write("\n")
    assert toy.pending().keys() == LABELLED


def test_changed_weights_rerun_their_layer_alone(toy):
    weights = toy.folder / "toy" / "sae_1.npz"
    weights.write_bytes(weights.read_bytes() + b"\n")
    told = toy.snakemake("--dry-run", "--quiet", "host").stdout
    assert "layer-1/decoder.npy" in told
    assert "layer-0/decoder.npy" not in told


def test_one_layer_then_more(toy):
    toy.forget_all_but("layer-1")
    assert toy.pending("results/toy/layer-1.json") == {}
    # The frame is laid out for both.
    both = dict.fromkeys(("refine_frame", "export_frame"), 2)
    assert toy.pending() == dict.fromkeys(PER_LAYER | PER_MODEL | OF_ATLAS, 1) | both


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("toy/layer-01.json", "No rule to produce"),
        ("toy/layer-7.json", "toy has no layer 7: its layers are 0-1"),
        ("toyy/layer-0.json", "No rule to produce"),
    ],
)
def test_a_target_that_does_not_exist_is_refused(toy_run, target, message):
    done = toy_run.snakemake("--dry-run", f"results/{target}", check=False)
    assert done.returncode
    assert message in done.stdout


def test_a_product_that_went_missing_is_made_anew(toy):
    (toy.folder / "results/toy/layer-1.json.gz").unlink()
    assert toy.pending() == {"export_layer": 1, "export_frame": 1, "draw_layer": 1} | dict.fromkeys(
        PER_MODEL - {"tabulate_quality"}, 1
    )


def test_a_figure_that_went_missing_is_drawn_anew_and_no_map_waits_for_figures(toy):
    for name in ("layer-1", "layers"):
        (toy.folder / f"results/toy/figures/{name}.png").unlink()
    assert toy.pending() == {"draw_layer": 1, "draw_model": 1}
    maps = ("results/toy/manifest.json", "results/toy/quality.tsv")
    assert not {"draw_layer", "draw_model"} & toy.pending("--forceall", *maps).keys()
