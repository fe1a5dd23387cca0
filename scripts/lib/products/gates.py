"""The gates: which maps may be listed, and so published. They read what was measured and compute nothing again."""


def refusals(quality: dict, entry: dict, floors: dict[str, float], min_coverage: float) -> list[str]:
    """Why one layer must not be listed, from its quality.json and export.json; empty if it may be.

    floors : the configuration's `quality` block: `min_{measure}` is the floor under a measure of the map
    min_coverage : minimum labelled share of the requested features that can fire
    """
    reasons = []
    for key, floor in sorted(floors.items()):
        measure = key.removeprefix("min_")
        value = quality.get("map", {}).get(measure)
        if value is not None and value < floor:
            reasons.append(f"{measure} is {value}, below quality.{key} ({floor})")
    coverage = entry.get("labelCoverage")
    if coverage is not None and coverage < min_coverage:
        reasons.append(
            f"only {coverage:.2%} of the requested features have a label ({entry['neverActive']:,} that never fire are"
            f" not counted), below labels.min_coverage ({min_coverage:.2%})"
        )
    return reasons
