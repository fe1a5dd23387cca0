"""atlas/layer-N.parquet: where the features of a layer lie in the frame of their model, and whom they match.

Row i is feature i, dead features included.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lib.geometry.matches import mutual
from lib.products.atlas_columns import FRAME_COLUMNS

SCHEMA = pa.schema({name: kind for name, (kind, _) in FRAME_COLUMNS.items()})


def frame_table(
    layer: int,
    coords: np.ndarray,
    kept: np.ndarray,
    tracks: pa.Table,
    before: dict | None,
    after: dict | None,
    decimals: int,
) -> pa.Table:
    """Join what the atlas knows of a layer's features: n rows with the columns of `SCHEMA`.

    Parameters
    ----------
    coords : float32 (n, 3), in the frame; kept : float32 (n,)
    tracks : as in tracks.parquet
    before, after : as in matches-{next}.npz, of the layer before with this one and of this one with the layer after;
        None where there is none
    decimals : decimals of the positions
    """
    index = pa.array(np.arange(len(coords), dtype=np.int32))
    # + 0.0: no -0.0
    positions = np.round(coords.astype(np.float64), decimals) + 0.0
    own = tracks.filter(pc.equal(tracks["layer"], layer))
    # A null in place of a row takes a row of nulls.
    own = own.take(pc.index_in(index, own["index"]))
    # As from pandas: NaN is null.
    columns = {name: pa.array(column, from_pandas=True) for name, column in zip("xyz", positions.T, strict=True)}
    columns |= {"layer": pa.repeat(layer, len(coords)), "index": index, "kept": pa.array(kept, from_pandas=True)}
    columns |= {name: own[name] for name in ("track", "length")}
    for name, matches, direction, side in (("previous", before, "backward", 1), ("next", after, "forward", 0)):
        if matches is None:
            continue
        nobody = matches[direction] < 0
        both = np.zeros(len(coords), bool)
        both[mutual(matches)[side]] = True
        columns[name] = pa.array(matches[direction], mask=nobody)
        columns[f"{name}_cosine"] = pa.array(matches[f"{direction}_cosine"], mask=nobody)
        columns[f"{name}_mutual"] = pa.array(both, mask=nobody)
    return pa.table({name: columns.get(name, pa.nulls(len(coords))) for name in SCHEMA.names}, SCHEMA)
