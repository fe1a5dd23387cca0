"""The gates: which maps may be listed, and so published. They read what was measured and compute nothing again."""


def refusals(quality: dict, labels: dict, floors: dict[str, float], min_coverage: float) -> list[str]:
    """Why one layer must not be listed; empty if it may be.

    Parameters
    ----------
    quality, labels : quality.json and labels.json of the layer
    floors : the configuration's `quality` block: `min_{measure}` is the floor under a measure of the map
    min_coverage : least share of the requested features that must have a label
    """
    measures = quality.get("map", {})
    reasons = []
    for key, floor in sorted(floors.items()):
        value = measures.get(key.removeprefix("min_"))
        if value is not None and value < floor:
            reasons.append(f"{key.removeprefix('min_')} is {value}, below quality.{key} ({floor})")
    coverage = labels.get("coverage")
    if coverage is not None and coverage < min_coverage:
        reasons.append(
            f"{labels['labelled']:,} of {labels['requested']:,} features have a label ({coverage:.2%}), below"
            f" labels.min_coverage ({min_coverage:.2%})"
        )
    return reasons
