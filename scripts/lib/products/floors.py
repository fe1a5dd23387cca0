"""The floors under a map's measures: below one of them a map is neither finished nor published."""


def below_floors(measures: dict[str, float | None], floors: dict[str, float]) -> list[str]:
    """What to say of each measure below its floor `min_{measure}`; a measure that is None has no say."""
    return [
        f"{name} is {measures[name]}, below its floor {floor}"
        for name, floor in ((key.removeprefix("min_"), floor) for key, floor in sorted(floors.items()))
        if measures.get(name) is not None and measures[name] < floor
    ]
